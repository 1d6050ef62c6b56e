// Right arrow, space, a click: the next step, then the next slide. Left arrow: back. n: the whole text. f: full screen.
const slides = [...document.querySelectorAll(".slide")];
const place = document.getElementById("place");
let at = 0;

const stepsOf = (slide) => [...slide.querySelectorAll(".step")];
const overflows = (box) => box.scrollHeight > box.clientHeight + 1 || box.scrollWidth > box.clientWidth + 1;

// Makes the letters of a slide smaller until nothing is cut off: those of code and output first, those of the text
// only where that does not help.
function fit(slide) {
  const hasCode = slide.querySelector(".code");
  for (let size = 1; size > 0.4; size -= 0.04) {
    slide.style.setProperty("--fit", size);
    for (const words of hasCode ? (size > 0.6 ? [Math.max(size, 0.85)] : [0.85, size]) : [size]) {
      slide.style.setProperty("--words", words);
      if (![slide, ...slide.querySelectorAll(".body, .body div")].some(overflows)) return;
    }
  }
}

function show(number, isWhole) {
  slides[at].classList.remove("now");
  notes(false);
  at = Math.max(0, Math.min(slides.length - 1, number));
  const slide = slides[at];
  slide.classList.add("now");
  stepsOf(slide).forEach((step) => step.classList.toggle("shown", isWhole));
  place.textContent = at ? `${at + 1} / ${slides.length}` : "→ next   ← back   n text   f full screen";
  history.replaceState(null, "", `#${slide.id}`);
  slide.firstElementChild.focus({ preventScroll: true });
}

function forward() {
  const waiting = stepsOf(slides[at]).filter((step) => !step.classList.contains("shown"));
  if (waiting.length) waiting.forEach((step) => step.classList.add("shown"));
  else if (at < slides.length - 1) show(at + 1, false);
}

function back() {
  const shown = stepsOf(slides[at]).filter((step) => step.classList.contains("shown"));
  if (shown.length) shown.forEach((step) => step.classList.remove("shown"));
  else show(at - 1, true);
}

function notes(wanted) {
  const aside = slides[at].querySelector(".notes");
  if (aside) aside.hidden = !(wanted ?? aside.hidden);
}

const keys = {
  ArrowRight: forward, " ": forward, PageDown: forward, Enter: forward,
  ArrowLeft: back, PageUp: back,
  Home: () => show(0, false),
  End: () => show(slides.length - 1, false),
  n: () => notes(),
  f: () => (document.fullscreenElement ? document.exitFullscreen() : document.documentElement.requestFullscreen()),
};

addEventListener("keydown", (event) => {
  const isPlain = !event.ctrlKey && !event.metaKey && !event.altKey;
  const isLink = event.key === "Enter" && event.target.closest("a");
  if (!isPlain || isLink || !keys[event.key]) return;
  event.preventDefault();
  keys[event.key]();
});
addEventListener("click", (event) => {
  if (!event.target.closest("a, .notes") && getSelection().isCollapsed) forward();
});
addEventListener("hashchange", () => show(Number(location.hash.slice(1)) - 1, false));
addEventListener("resize", () => slides.forEach(fit));

slides.forEach(fit);
show(Number(location.hash.slice(1) || 1) - 1, false);
