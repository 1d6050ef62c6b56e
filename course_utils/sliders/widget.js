// The page's side of an explorer: controls, the picture, and one question at a time to the kernel.

const WORKING_AFTER = 1000; // milliseconds without an answer until the page says so
const LONG_AFTER = 10000;
const SETTLED_AFTER = 400; // milliseconds without a move until the readout is announced
const CALM_STEP = 1; // least seconds between steps of the play button where the reader asks for reduced motion
const MOST_DENSE = 3; // device pixels for each pixel of the page that are worth sending

const PLAY = '<svg viewBox="0 0 12 12" aria-hidden="true"><path d="M2.5 1v10l8-5z"/></svg>';
const PAUSE = '<svg viewBox="0 0 12 12" aria-hidden="true"><path d="M2 1h3v10H2zM7 1h3v10H7z"/></svg>';
const newName = () => Math.random().toString(36).slice(2);

function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

// --- controls: each has the `input`, its `elements` in a row, its `place` among its values, and `moveTo`

function makeSlider(told, id, moved) {
  const last = told.labels.length - 1;
  const input = make("input", { type: "range", id, min: 0, max: last, step: 1 });
  const value = make("span", { class: "cu-value", "aria-hidden": "true" }); // the input says it
  value.style.minWidth = `${Math.max(...told.labels.map((text) => text.length))}ch`;
  const control = {
    input,
    last,
    stop: () => {},
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
  if (told.seconds !== null) [control.button, control.stop] = makePlay(told, control, moved);
  input.addEventListener("input", () => {
    control.moveTo(control.place);
    moved();
  });
  control.elements = [make("span", { class: "cu-track" }, control.button ?? "", input), value];
  return control;
}

function makeChoice(told, id, moved) {
  const options = told.labels.map((text, place) => make("option", { value: place }, text));
  const input = make("select", { id }, ...options);
  input.addEventListener("change", moved);
  const moveTo = (place) => (input.selectedIndex = place);
  const stop = () => {};
  return { input, elements: [make("span", {}, input)], moveTo, stop, get place() { return input.selectedIndex; } };
}

function makeCheckbox(told, id, moved) {
  const input = make("input", { type: "checkbox", id });
  input.addEventListener("change", moved);
  const moveTo = (place) => (input.checked = place === 1);
  const stop = () => {};
  return { input, elements: [make("span", {}, input)], moveTo, stop, get place() { return Number(input.checked); } };
}

const KINDS = { range: makeSlider, choice: makeChoice, checkbox: makeCheckbox };

function makePlay(told, control, moved) {
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  const button = make("button", { type: "button", class: "cu-play" });
  let run = 0; // the number of the run that plays; 0 while paused
  let runs = 0;
  const set = (now) => {
    run = now;
    button.innerHTML = run ? PAUSE : PLAY;
    button.setAttribute("aria-label", `${run ? "Pause" : "Play"} ${told.name}`);
  };
  const play = async () => {
    const mine = ++runs;
    set(mine);
    let over = false;
    while (!over) {
      control.moveTo((control.place + 1) % (control.last + 1));
      over = control.place === control.last && !told.repeat;
      const seconds = calm.matches ? Math.max(told.seconds, CALM_STEP) : told.seconds;
      const [drawn] = await Promise.all([moved(), new Promise((done) => setTimeout(done, 1000 * seconds))]);
      if (run !== mine) return;
      over ||= !drawn || !button.isConnected || document.hidden;
    }
    set(0);
  };
  button.addEventListener("click", () => (run ? set(0) : play()));
  const stop = () => set(0);
  control.input.addEventListener("input", stop);
  stop();
  return [button, stop];
}

function makeControls(told, moved) {
  const grid = make("div", { class: "cu-controls" });
  const controls = told.map((each) => {
    const id = `cu-${newName()}`;
    const control = KINDS[each.kind](each, id, moved);
    control.input.setAttribute("aria-label", each.name);
    control.moveTo(each.start);
    const row = make("div", { class: "cu-row" }, make("label", { for: id }, each.name), ...control.elements);
    grid.append(row);
    return control;
  });
  return { grid, controls };
}

// --- keys: a control keeps those that move it; JupyterLab's shortcuts get all others

const OWN_KEYS = {
  range: /^(Arrow.*|Page.*|Home|End)$/,
  "select-one": /^(Arrow.*|Page.*|Home|End|Enter| |[^ ])$/,
  checkbox: /^ $/,
  button: /^( |Enter)$/,
};

// JupyterLab passes a key over where the element at hand has the mark; it looks when the key reaches the document.
function keepOwnKeys(grid, signal) {
  const mark = ({ target, key, ctrlKey, metaKey, altKey, shiftKey }) => {
    if (!grid.contains(target)) return;
    const own = OWN_KEYS[target.type]?.test(key) && !(ctrlKey || metaKey || altKey || shiftKey);
    target.toggleAttribute("data-lm-suppress-shortcuts", Boolean(own));
  };
  window.addEventListener("keydown", mark, { capture: true, signal });
}

// --- the picture

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
    async show(answer, buffers) {
      if (answer.png) await showPixels(answer, buffers);
      else if (answer.svg) await showDrawing(answer);
    },
    clear: () => URL.revokeObjectURL(shown?.src),
  };
}

// The area grows with what it shows and never shrinks, so the page below does not jump.
function keepHeight(element) {
  const height = element.offsetHeight;
  if (height > parseFloat(element.style.minHeight || 0)) element.style.minHeight = `${height}px`;
}

function forgetHeightsWhenResized(root, elements, signal) {
  let width = root.offsetWidth;
  const observer = new ResizeObserver(() => {
    if (root.offsetWidth === width) return;
    width = root.offsetWidth;
    for (const element of elements) element.style.minHeight = "";
  });
  observer.observe(root);
  signal.addEventListener("abort", () => observer.disconnect());
}

// --- the page around: how dense its pixels are, and whether it is dark

// Bright text means a dark page, in every notebook program.
function isDark() {
  const [red, green, blue] = getComputedStyle(document.body).color.match(/[\d.]+/g).map(Number);
  return 0.299 * red + 0.587 * green + 0.114 * blue > 127;
}

function watchPage(changed, signal) {
  const observer = new MutationObserver(changed);
  for (const element of [document.documentElement, document.body]) observer.observe(element, { attributes: true });
  signal.addEventListener("abort", () => observer.disconnect());
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", changed, { signal });
  const watchDensity = () => {
    const now = matchMedia(`(resolution: ${devicePixelRatio}dppx)`);
    now.addEventListener("change", () => (watchDensity(), changed()), { once: true, signal });
  };
  watchDensity();
}

// --- the conversation: one question at a time; the newest position is asked next, so the last is always drawn

function makeConversation(model, { places, page, say, draw }) {
  const view = newName();
  let asked = 0; // moves made
  let byHand = false; // whether the newest is a move made here, and not a question for the kernel's own position
  let flying = 0; // the move whose answer is awaited; 0 while none is
  let waiting = []; // [move, function to call with true or false once a frame at least that new is drawn or has failed]
  let timers = [];

  const stopTimers = () => timers.splice(0).forEach(clearTimeout);
  const startTimers = () => {
    if (timers.length) return;
    timers = [
      setTimeout(() => say("working…"), WORKING_AFTER),
      setTimeout(() => say("still working… (Python is busy with this or with another cell)"), LONG_AFTER),
    ];
  };
  const send = () => {
    flying = asked;
    model.send({ view, places: byHand ? places() : null, ...page() });
    byHand = false;
  };
  const ask = () => {
    asked += 1;
    if (!flying) send();
  };
  const receive = async (answer, buffers) => {
    if (answer.view !== view) {
      if (answer.moved) ask(); // another view of the same explorer was moved, and this one keeps in step
      return;
    }
    const move = flying;
    stopTimers();
    say("");
    let drawn = false;
    try {
      drawn = await draw(answer, buffers, move === asked);
    } finally {
      waiting = waiting.filter(([of, done]) => of > move || done(drawn));
      flying = 0;
      if (asked > move) {
        startTimers();
        send();
      }
    }
  };
  model.on("msg:custom", receive);
  return {
    // Resolves to true once this position or a newer one is drawn, to false where that failed.
    move() {
      byHand = true;
      startTimers();
      ask();
      return new Promise((done) => waiting.push([asked, done]));
    },
    // Asks for the kernel's own position, in a page that has just opened or looks different now.
    again: ask,
    end() {
      stopTimers();
      model.off("msg:custom", receive);
      model.send({ asleep: true });
    },
  };
}

// --- the whole

function makeReadout() {
  const element = make("p", { class: "cu-readout", "aria-live": "polite" });
  let settled;
  const settle = () => {
    clearTimeout(settled);
    settled = setTimeout(() => element.setAttribute("aria-busy", "false"), SETTLED_AFTER);
  };
  // While busy, screen readers hold the announcement back.
  const moving = () => element.setAttribute("aria-busy", "true");
  const tell = ({ text, spoken }) => {
    element.textContent = text;
    element.classList.toggle("cu-spoken", Boolean(spoken));
    keepHeight(element);
    settle();
  };
  return { element, moving, tell };
}

// Without its kernel, as after a restart or in a notebook that was opened and not run, a view says what brings it back.
async function watchKernel(model, changed) {
  const own = await model.widget_manager.get_model(model.get("name"));
  const look = () => changed(own.comm_live);
  model.on("comm_live_update", look);
  look();
}

function render({ model, el }) {
  const life = new AbortController();
  const title = model.get("title");
  const stage = makeStage();
  const readout = makeReadout();
  const error = make("div", { class: "cu-error", role: "alert" });
  const { grid, controls } = makeControls(model.get("controls"), () => {
    readout.moving();
    return conversation.move();
  });
  const note = make("p", { class: "cu-note" }, "▸ Run this cell again to move it.");
  const heading = title ? [make("p", { class: "cu-title" }, title)] : [];
  const root = make("div", { class: "cu-explore", role: "group", "aria-label": title || "Explorer" });
  root.append(...heading, grid, stage.element, readout.element, error, note);
  el.append(root);
  readout.tell(model.get("first"));
  stage.show(model.get("first"));

  let drawn = controls.map((control) => control.place); // the positions that the picture shows
  const moveTo = (places) => controls.forEach((control, index) => control.moveTo(places[index]));
  const wake = (live) => {
    root.classList.toggle("cu-asleep", !live);
    for (const { input, button, stop } of controls) {
      for (const element of [input, button]) if (element) element.disabled = !live;
      if (!live) stop();
    }
    if (!live) moveTo(drawn);
  };
  let look = {};
  const conversation = makeConversation(model, {
    places: () => controls.map((control) => control.place),
    page: () => ({ still: stage.still, ...look }),
    say: stage.say,
    async draw(answer, buffers, isNewest) {
      if (isNewest) moveTo(answer.places);
      if (!answer.error) {
        drawn = answer.places;
        await stage.show(answer, buffers);
        readout.tell(answer);
      }
      error.replaceChildren();
      if (answer.error) error.append(make("strong", {}, answer.error), make("pre", {}, answer.traceback));
      return !answer.error;
    },
  });
  const lookAgain = () => {
    const now = { ratio: Math.min(devicePixelRatio, MOST_DENSE), dark: isDark() };
    if (now.ratio === look.ratio && now.dark === look.dark) return;
    look = now;
    root.style.colorScheme = look.dark ? "dark" : "light";
    conversation.again();
  };
  lookAgain();
  watchPage(lookAgain, life.signal);
  keepOwnKeys(grid, life.signal);
  watchKernel(model, wake);
  forgetHeightsWhenResized(root, [stage.element, readout.element], life.signal);

  return () => {
    life.abort();
    conversation.end();
    stage.clear();
  };
}

export default { render };
