// Notes when a new picture can be seen, and every frame of the screen in which there is none.
(picture) => {
  const root = [...document.querySelectorAll(".jp-Cell-outputArea")].at(-1);
  const watch = { keys: [], drawn: [], shown: [], frames: 0, empty: 0, height: root.offsetHeight, on: true };
  const seen = () => {
    watch.drawn.push(performance.now());
    requestAnimationFrame(() => watch.shown.push(performance.now()));
  };
  const content = () => {
    const found = root.querySelector(picture);
    return { IMG: found?.src, CANVAS: found?.getAttribute("aria-label") }[found?.tagName] ?? found?.textContent;
  };
  let last = content();
  const ready = () => {
    const found = root.querySelector(picture);
    if (found && (found.tagName !== "IMG" || (found.complete && found.naturalWidth))) seen();
    else requestAnimationFrame(ready);
  };
  const look = () => {
    const now = content();
    if (!now || now === last) return;
    last = now;
    ready();
  };
  new MutationObserver(look).observe(root, { childList: true, subtree: true, characterData: true, attributes: true });
  // ipympl's canvas says nothing about what is on it; an image drawn on it is a new picture.
  const draw = CanvasRenderingContext2D.prototype.drawImage;
  CanvasRenderingContext2D.prototype.drawImage = function (image, ...rest) {
    if (picture === "canvas" && image instanceof HTMLImageElement) seen();
    return draw.call(this, image, ...rest);
  };
  document.addEventListener("keydown", () => watch.keys.push(performance.now()), true);
  const sample = () => {
    if (!watch.on) return;
    const found = root.querySelector(picture);
    watch.frames += 1;
    if (!found || found.offsetHeight < 5 || root.offsetHeight < 0.9 * watch.height) watch.empty += 1;
    requestAnimationFrame(sample);
  };
  sample();
  window.watch = watch;
};
