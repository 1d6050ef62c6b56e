// The page's side of an explorer: controls, the picture, and one question at a time to the kernel.

const WORKING_AFTER = 1000; // milliseconds without an answer until the page says so
const LOST_AFTER = 10000;
const SETTLED_AFTER = 400; // milliseconds without a move until the readout is announced
const CALM_STEP = 1; // least seconds between steps of the play button where the reader asks for reduced motion
const MOST_DENSE = 3; // device pixels for each pixel of the page that are worth sending

function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

// --- controls: each has the `input`, its `elements` in a row, its `place` among its values, and `moveTo` -----------

function makeSlider(told, id, moved) {
  const last = told.labels.length - 1;
  const input = make("input", { type: "range", id, min: 0, max: last, step: 1 });
  const value = make("output", { for: id });
  value.style.minWidth = `${Math.max(...told.labels.map((text) => text.length))}ch`;
  const control = {
    input,
    last,
    get place() {
      return Number(input.value);
    },
    moveTo(place) {
      input.value = place;
      input.setAttribute("aria-valuetext", told.labels[place]);
      input.style.setProperty("--filled", last ? place / last : 0);
      value.textContent = told.labels[place];
    },
  };
  const play = told.seconds === null ? [] : [makePlay(told, control, moved)];
  input.addEventListener("input", () => {
    control.moveTo(control.place);
    moved();
  });
  control.elements = [make("span", { class: "cu-track" }, ...play, input), value];
  return control;
}

function makeChoice(told, id, moved) {
  const options = told.labels.map((text, place) => make("option", { value: place }, text));
  const input = make("select", { id }, ...options);
  input.addEventListener("change", moved);
  const moveTo = (place) => (input.selectedIndex = place);
  return { input, elements: [make("span", {}, input)], moveTo, get place() { return input.selectedIndex; } };
}

function makeCheckbox(told, id, moved) {
  const input = make("input", { type: "checkbox", id });
  input.addEventListener("change", moved);
  const moveTo = (place) => (input.checked = place === 1);
  return { input, elements: [make("span", {}, input)], moveTo, get place() { return Number(input.checked); } };
}

const KINDS = { range: makeSlider, choice: makeChoice, checkbox: makeCheckbox };

function makePlay(told, control, moved) {
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  const button = make("button", { type: "button", class: "cu-play" });
  let run = 0; // the number of the run that plays; 0 while paused
  let runs = 0;
  const set = (now) => {
    run = now;
    button.textContent = run ? "❚❚" : "▶";
    button.setAttribute("aria-label", `${run ? "Pause" : "Play"} ${told.name}`);
  };
  const play = async () => {
    const mine = ++runs;
    set(mine);
    for (let place = control.place === control.last ? 0 : control.place + 1; ; place = place === control.last ? 0 : place + 1) {
      control.moveTo(place);
      const seconds = calm.matches ? Math.max(told.seconds, CALM_STEP) : told.seconds;
      const [drawn] = await Promise.all([moved(), new Promise((done) => setTimeout(done, 1000 * seconds))]);
      if (run !== mine) return;
      const over = place === control.last && !told.repeat;
      if (over || !drawn || !button.isConnected || document.hidden) return set(0);
    }
  };
  button.addEventListener("click", () => (run ? set(0) : play()));
  control.input.addEventListener("input", () => set(0));
  set(0);
  return button;
}

function makeControls(told, moved) {
  const grid = make("div", { class: "cu-controls" });
  const controls = told.map((each) => {
    const id = `cu-${crypto.randomUUID()}`;
    const control = KINDS[each.kind](each, id, moved);
    // JupyterLab takes the arrow keys from an input without this mark.
    control.input.setAttribute("data-lm-suppress-shortcuts", "true");
    control.input.setAttribute("aria-label", each.name);
    control.moveTo(each.start);
    const row = make("div", { class: "cu-row" }, make("label", { for: id }, each.name), ...control.elements);
    grid.append(row);
    return control;
  });
  return { grid, controls };
}

// --- the picture --------------------------------------------------------------------------------------------------

// A new picture takes the old one's place once it is decoded, so there is no moment without a picture.
function makeStage() {
  const working = make("div", { class: "cu-working", role: "status" });
  const stage = make("div", { class: "cu-stage" }, working);
  let shown = null;
  let newest = 0;
  let held = { number: 0, image: null }; // what stays while the changing parts move over it

  const put = (element, { alt, width }) => {
    element.style.width = `${width}px`;
    element.setAttribute(element.tagName === "IMG" ? "alt" : "aria-label", alt);
    if (element !== shown) {
      if (shown) shown.replaceWith(element);
      else stage.prepend(element);
      URL.revokeObjectURL(shown?.src);
      shown = element;
    }
    keepHeight(stage);
  };
  const showDrawing = async (answer) => {
    const number = ++newest;
    const image = new Image();
    image.src = URL.createObjectURL(new Blob([answer.svg], { type: "image/svg+xml" }));
    await image.decode();
    if (number === newest) put(image, answer);
    else URL.revokeObjectURL(image.src);
  };
  const showPixels = async (answer, buffers) => {
    newest += 1;
    const { still, size, at } = answer.png;
    const images = await Promise.all(buffers.map((png) => createImageBitmap(new Blob([png]))));
    if (still !== held.number) held = { number: still, image: images.shift() };
    const [width, height] = size;
    const fits = shown?.tagName === "CANVAS" && shown.width === width && shown.height === height;
    const canvas = fits ? shown : make("canvas", { role: "img", width, height });
    const pen = canvas.getContext("2d");
    pen.drawImage(held.image, 0, 0);
    if (at) pen.drawImage(images[0], ...at);
    put(canvas, answer);
  };
  return {
    element: stage,
    get still() {
      return held.number;
    },
    say: (text) => (working.textContent = text),
    show: (answer, buffers) => (answer.png ? showPixels(answer, buffers) : answer.svg ? showDrawing(answer) : undefined),
    clear: () => URL.revokeObjectURL(shown?.src),
  };
}

// The area grows with what it shows and never shrinks, so the page below does not jump.
function keepHeight(element) {
  const height = element.offsetHeight;
  if (height > parseFloat(element.style.minHeight || 0)) element.style.minHeight = `${height}px`;
}

// --- the theme: bright text means a dark page, in every notebook program ----------------------------------------------

function isDark() {
  const [red, green, blue] = getComputedStyle(document.body).color.match(/[\d.]+/g).map(Number);
  return 0.299 * red + 0.587 * green + 0.114 * blue > 127;
}

function watchPage(signal, changed) {
  const observer = new MutationObserver(changed);
  for (const element of [document.documentElement, document.body]) observer.observe(element, { attributes: true });
  signal.addEventListener("abort", () => observer.disconnect());
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", changed, { signal });
  const watchRatio = () =>
    matchMedia(`(resolution: ${devicePixelRatio}dppx)`).addEventListener("change", () => (watchRatio(), changed()), {
      once: true,
      signal,
    });
  watchRatio();
}

// --- the whole ------------------------------------------------------------------------------------------------------

function render({ model, el }) {
  const life = new AbortController();
  const view = crypto.randomUUID();
  const stage = makeStage();
  const readout = make("p", { class: "cu-readout", "aria-live": "polite" });
  const error = make("div", { class: "cu-error", role: "alert" });
  const { grid, controls } = makeControls(model.get("controls"), () => ask());
  const title = model.get("title");
  const root = make("div", { class: "cu-explore", role: "group", "aria-label": title || "Explorer" });
  if (title) root.append(make("p", { class: "cu-title" }, title));
  root.append(grid, stage.element, readout, error);
  el.append(root);

  let page = {}; // pixel density and theme of the frames asked for
  let asked = 0; // moves made
  let flying = 0; // the move whose answer is awaited; 0 while none is
  let waiting = []; // [move, function to call with true or false once a frame at least that new is drawn]
  let timers = [];
  let settled;

  const send = (places) => {
    flying = asked;
    model.send({ view, places, still: stage.still, ...page });
    timers = [
      setTimeout(() => stage.say("working…"), WORKING_AFTER),
      setTimeout(() => stage.say("No answer yet: Python is busy or stopped. Run this cell to move it."), LOST_AFTER),
    ];
  };
  const ask = () => {
    asked += 1;
    readout.setAttribute("aria-busy", "true");
    const drawn = new Promise((done) => waiting.push([asked, done]));
    if (!flying) send(controls.map((control) => control.place));
    return drawn;
  };

  const tell = (text) => {
    readout.textContent = text;
    keepHeight(readout);
    clearTimeout(settled);
    settled = setTimeout(() => readout.setAttribute("aria-busy", "false"), SETTLED_AFTER);
  };
  const draw = async (answer, buffers) => {
    if (answer.error) {
      error.replaceChildren(make("strong", {}, answer.error), make("pre", {}, answer.traceback));
      return false;
    }
    await stage.show(answer, buffers);
    error.replaceChildren();
    tell(answer.text);
    return true;
  };
  const receive = async (answer, buffers) => {
    if (answer.view !== view) return;
    const move = flying;
    timers.forEach(clearTimeout);
    stage.say("");
    if (move === asked) controls.forEach((control, i) => control.moveTo(answer.places[i]));
    let drawn = false;
    try {
      drawn = await draw(answer, buffers);
    } finally {
      waiting = waiting.filter(([of, done]) => of > move || done(drawn));
      flying = 0;
      if (asked > move) send(controls.map((control) => control.place));
    }
  };
  model.on("msg:custom", receive);

  const look = () => {
    const now = { ratio: Math.min(devicePixelRatio, MOST_DENSE), dark: isDark() };
    if (now.ratio === page.ratio && now.dark === page.dark) return;
    page = now;
    root.style.colorScheme = page.dark ? "dark" : "light";
    asked += 1;
    if (!flying) send(null);
  };
  const first = model.get("first");
  tell(first.text);
  stage.show(first);
  look();
  watchPage(life.signal, look);

  return () => {
    life.abort();
    timers.forEach(clearTimeout);
    model.off("msg:custom", receive);
    model.send({ asleep: true });
    stage.clear();
  };
}

export default { render };
