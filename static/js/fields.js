/* An empty or malformed field says so at the field, in our words. The browser's own bubble is in another language, and gone after
   a moment. */
import { $, $$, FIELD } from "./dom.js";
import { focusWrong } from "./focus.js";

const nameOf = (field) => {
  const label = field.labels?.[0];
  const texts = label ? [...label.childNodes].filter((node) => node.nodeType === Node.TEXT_NODE) : [];
  return texts.map((node) => node.textContent).join(" ").trim() || field.getAttribute("aria-label") || "This field";
};

function messageFor(field) {
  const name = nameOf(field);
  if (!field.validity.valueMissing) {
    const isEmail = field.validity.typeMismatch && field.type === "email";
    return isEmail ? `“${field.value}” isn’t a valid email address.` : field.validationMessage;
  }
  if (field.dataset.missing) return field.dataset.missing;
  if (field.type === "file") return "Choose a file.";
  if (field.type === "checkbox") return "Select this box to continue.";
  if (field.type === "radio" || field.matches("select")) return "Choose one.";
  if (name === "Reason" || ["reason", "why"].includes(field.name)) return "Enter a reason.";
  return /[?]$|^(Type|Enter|Write|What|How|Why)\b/.test(name) ? "Fill in this field." : `${name} is required.`;
}

const placeOf = (field) => (field.type === "radio" && field.closest("fieldset")) || field.closest(".field, label") || field.parentElement;
const errorIn = (place) => $(":scope > .error", place) ?? (place.matches("label") && $(":scope + .error", place));

/* True if the message at the field was written here, not by the server. */
export const hasOwnError = (field) => field.ariaInvalid && "own" in (errorIn(placeOf(field))?.dataset ?? {});

function svg(name, attributes) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  Object.entries(attributes).forEach(([key, value]) => element.setAttribute(key, value));
  return element;
}

function alertIcon() {
  const sprite = $("use")?.getAttribute("href").split("#")[0] ?? "";
  const icon = svg("svg", { class: "icon sm", "aria-hidden": "true" });
  icon.append(svg("use", { href: `${sprite}#circle-alert` }));
  return icon;
}

export function showError(field) {
  const place = placeOf(field);
  let error = errorIn(place);
  if (!error) {
    error = Object.assign(document.createElement("span"), { className: "error", id: `${field.id || field.name}-error` });
    if (place.matches("label")) place.after(error);
    else place.append(error);
  }
  error.replaceChildren(alertIcon(), messageFor(field));
  error.dataset.own = "";
  const described = `${field.getAttribute("aria-describedby") ?? ""} ${error.id}`.trim().split(/\s+/);
  field.setAttribute("aria-invalid", "true");
  field.setAttribute("aria-describedby", [...new Set(described)].join(" "));
}

let pending = null;
document.addEventListener(
  "invalid",
  (event) => {
    const field = event.target;
    if (!field.matches(FIELD)) return;
    event.preventDefault();
    showError(field);
    /* The browser tells each field in turn: the first one gets the focus when all were told. */
    pending ??= setTimeout(() => {
      pending = null;
      focusWrong(field.form ?? placeOf(field), false);
    });
  },
  true,
);

/* A file beyond the limit is refused before it is sent: the server would refuse it too, but only after the wait.
   This comes before an error is cleared, which asks whether the field is valid. */
document.addEventListener("change", (event) => {
  const most = +event.target.dataset?.maxBytes;
  if (!most) return;
  const isTooLarge = [...event.target.files].some((file) => file.size > most);
  event.target.setCustomValidity(isTooLarge ? `This file is larger than ${Math.floor(most / 1048576)} MB, the most that is taken here.` : "");
  if (isTooLarge) event.target.reportValidity();
});

function clearError(event) {
  const field = event.target;
  if (!field.matches(FIELD) || !hasOwnError(field) || !field.validity.valid) return;
  const place = placeOf(field),
    others = field.type === "radio" ? $$("input[type=radio]", place) : [];
  [field, ...others].forEach((part) => part.removeAttribute("aria-invalid"));
  errorIn(place).remove();
}
document.addEventListener("input", clearError);
document.addEventListener("change", clearError);
