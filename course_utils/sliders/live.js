function make(tag, properties = {}) {
  return Object.assign(document.createElement(tag), properties);
}

function render({ model, el }) {
  const bar = make("progress", { max: model.get("total") });
  bar.setAttribute("aria-label", `${model.get("name")}s done`);
  bar.style.cssText = "accent-color: light-dark(#0072b2, #56b4e9); flex: 1; height: 14px; max-width: 26rem";
  const told = make("span");
  told.style.fontVariantNumeric = "tabular-nums";
  const row = make("div", { className: "cu-watch" });
  row.style.cssText = "align-items: center; display: flex; gap: 12px; min-height: 28px; max-width: 60rem";
  row.append(bar, told);
  const stage = make("div");
  el.append(row, stage);

  const move = () => {
    const [done, total] = [model.get("done"), model.get("total")];
    bar.value = done;
    told.textContent = `${model.get("name")} ${done} of ${total}`;
  };
  // A new picture takes the old one's place once it is decoded, so there is no moment without a picture.
  let newest = 0;
  const draw = async () => {
    const number = ++newest;
    const { svg, alt, width } = model.get("picture");
    if (!svg) return;
    const image = make("img", { alt });
    image.style.cssText = `max-width: 100%; width: ${width}px`;
    image.src = URL.createObjectURL(new Blob([svg], { type: "image/svg+xml" }));
    await image.decode();
    const stale = number === newest ? stage.firstChild : image;
    if (number === newest) stage.replaceChildren(image);
    if (stale) URL.revokeObjectURL(stale.src);
  };
  model.on("change:done", move);
  model.on("change:picture", draw);
  move();
  draw();
  return () => {
    model.off("change:done", move);
    model.off("change:picture", draw);
  };
}

export default { render };
