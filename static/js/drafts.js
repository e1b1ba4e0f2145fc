/* What somebody began stays when a part of the page is replaced: text, choices, messages at fields, and opened details. */
import { $, $$, FIELD } from "./dom.js";
import { hasOwnError, showError } from "./fields.js";

const TEXTS = "input[id]:not([type=checkbox], [type=radio], [type=hidden], [type=file], [type=password]), textarea[id]";
const CHOICES = "select, [type=radio], [type=checkbox]";
/* A part that refreshes itself sends nothing of its forms, so its answer knows nothing of them. */
const isPoll = (event) => event.detail.requestConfig?.headers?.["Gatehouse-Poll"];
const keyOf = (field) => field.id || [field.form?.getAttribute("action"), field.name, field.value].join("|");
const choiceOf = (field) => (field.matches("select") ? field.value : field.checked);
const servedChoiceOf = (field) => {
  if (!field.matches("select")) return field.defaultChecked;
  return ($("option[selected]", field) ?? field.options[0])?.value;
};

const sent = new WeakMap();
let typed = [];
let choices = [];
let missing = [];

document.addEventListener("htmx:beforeRequest", (event) => {
  const { target, xhr } = event.detail;
  if (target) sent.set(xhr, new Map($$(TEXTS, target).map((field) => [field.id, field.value])));
});

document.addEventListener("htmx:beforeSwap", (event) => {
  const { target, xhr } = event.detail,
    values = sent.get(xhr) ?? new Map();
  const isNewer = (field) =>
    isPoll(event) ? field.value !== field.defaultValue : values.has(field.id) && values.get(field.id) !== field.value;
  typed = $$(TEXTS, target)
    .filter(isNewer)
    .map((field) => [field.id, field.value, field.selectionStart]);
  if (!isPoll(event)) return;
  const fields = $$(FIELD, target);
  choices = fields
    .filter((field) => field.matches(CHOICES) && choiceOf(field) !== servedChoiceOf(field))
    .map((field) => [keyOf(field), choiceOf(field)]);
  missing = fields.filter(hasOwnError).map(keyOf);
});

function restoreText([id, value, position]) {
  const field = document.getElementById(id);
  if (!field || field.value === value) return;
  field.value = value;
  if (position !== null && document.activeElement === field) field.setSelectionRange(position, position);
  /* The server has not seen it: a search goes on at once, another field when it is left. */
  const tell = (kind) => field.dispatchEvent(new Event(kind, { bubbles: true }));
  if (field.type === "search") setTimeout(() => tell("input"));
  else field.addEventListener("blur", () => tell("change"), { once: true });
}

document.addEventListener("htmx:afterSwap", () => {
  const fields = choices.length || missing.length ? $$(FIELD) : [];
  const fieldOf = (key) => fields.find((field) => keyOf(field) === key);
  choices.splice(0).forEach(([key, value]) => {
    const field = fieldOf(key);
    if (field) field[field.matches("select") ? "value" : "checked"] = value;
  });
  typed.splice(0).forEach(restoreText);
  missing.splice(0).forEach((key) => {
    const field = fieldOf(key);
    if (field && !field.validity.valid) showError(field);
  });
});

let opened = [];
let focused = "";
document.addEventListener("htmx:beforeSwap", (event) => {
  opened = $$("details[data-keep][open]", event.detail.target).map((part) => part.id);
  focused = document.activeElement.closest("details[data-keep]") && document.activeElement.id;
});
document.addEventListener("htmx:afterSwap", () => {
  opened.splice(0).forEach((id) => document.getElementById(id)?.setAttribute("open", ""));
  if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
  focused = "";
});
