/** @param {string} id @returns {HTMLElement} */
export function byId(id) {
  return /** @type {HTMLElement} */ (document.getElementById(id));
}

/** @param {string} id @returns {HTMLCanvasElement} */
export function canvasById(id) {
  return /** @type {HTMLCanvasElement} */ (byId(id));
}

/**
 * Make an element. Texts become text nodes, never HTML.
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag
 * @param {Record<string, unknown>} [properties] as of the element; those with a hyphen, and `role`, are attributes
 * @param {...(Node | string)} children
 * @returns {HTMLElementTagNameMap[T]}
 */
export function make(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.includes("-") || name === "role") made.setAttribute(name, String(value));
    else Reflect.set(made, name, value);
  }
  made.append(...children);
  return made;
}

/** @param {string} text @param {(event: MouseEvent) => void} action @param {Record<string, unknown>} [properties] */
export function button(text, action, properties = {}) {
  const made = make("button", { type: "button", ...properties }, text);
  made.addEventListener("click", action);
  return made;
}

/** @param {string} text said by screen readers */
export function say(text) {
  byId("said").textContent = text;
}

/** @param {string} name of a custom property in style.css @returns {string} */
export function styleOf(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

/** @param {string} label @param {() => void} action @returns {HTMLButtonElement} a cross */
export function closing(label, action) {
  return button("\u2715", action, { "aria-label": label, title: label, className: "quiet" });
}

/** @param {string} colour @returns {HTMLElement} */
export function swatch(colour) {
  const made = make("i", { className: "swatch", "aria-hidden": "true" });
  made.style.background = colour;
  return made;
}
