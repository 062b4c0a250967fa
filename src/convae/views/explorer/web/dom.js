"use strict";

/** @param {string} id @returns {HTMLElement} */
function byId(id) {
  return /** @type {HTMLElement} */ (document.getElementById(id));
}

/** @param {string} id @returns {HTMLCanvasElement} */
function canvasById(id) {
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
function make(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.includes("-") || name === "role") made.setAttribute(name, String(value));
    /** @type {any} */ else Reflect.set(made, name, value);
  }
  made.append(...children);
  return made;
}

/** @param {string} text @param {(event: MouseEvent) => void} action @param {Record<string, unknown>} [properties] */
function button(text, action, properties = {}) {
  const made = make("button", { type: "button", ...properties }, text);
  made.addEventListener("click", action);
  return made;
}

/** @param {string} text said by screen readers */
function say(text) {
  byId("said").textContent = text;
}

/** @param {string} name of a custom property in style.css @returns {string} */
function styleOf(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}
