/* What the other modules find elements with. Every listener is on the document, so a swap of htmx needs no new one. */
export const $ = (selector, root = document) => root.querySelector(selector);
export const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
export const FIELD = "input:not([type=hidden]), select, textarea";
