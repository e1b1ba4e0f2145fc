/* Progressive enhancement only. Every listener is delegated, so htmx swaps need no re-binding. */
const $ = (s, r = document) => r.querySelector(s),
  $$ = (s, r = document) => [...r.querySelectorAll(s)];

/* what this browser keeps for a year; in production only over HTTPS, and only for this host */
const prefix = document.documentElement.dataset.cookies ?? "";
const keep = (name, value) => {
  document.cookie = `${prefix}${name}=${value}; path=/; max-age=31536000; samesite=lax${prefix && "; secure"}`;
};

/* dialogs & drawers: <button data-open="id">, <button data-close>, #hash, or hx-target inside <dialog data-auto> */
const openDialog = (d) => {
  if (d && !d.open) d.showModal();
};
document.addEventListener("click", (e) => {
  const o = e.target.closest("[data-open]");
  if (o) {
    e.preventDefault();
    openDialog($("#" + o.dataset.open));
  }
  if (e.target.closest("[data-close]"))
    e.target.closest("dialog, .toast, .banner")?.[e.target.closest("dialog") ? "close" : "remove"]();
  if (e.target.matches("dialog")) e.target.close();
  $$("details.menu[open]").forEach((m) => {
    if (!m.contains(e.target)) m.open = false;
  });
  const c = e.target.closest("[data-copy]");
  if (c) navigator.clipboard?.writeText(c.dataset.copy).then(() => toast("Copied"));
  if (e.target.closest("[data-theme-toggle]")) {
    const h = document.documentElement,
      dark = h.dataset.theme ? h.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    h.dataset.theme = dark ? "light" : "dark";
    keep("theme", h.dataset.theme); /* the server renders it: no flash */
  }
});
/* moments are shown in the reader's zone: the server learns it from here, and knows it from the next page on */
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
if (zone && !document.cookie.includes(`zone=${zone}`)) keep("zone", zone);
document.addEventListener("htmx:afterSwap", (e) => {
  const d = e.target.closest?.("dialog[data-auto]");
  if (d) openDialog(d);
});
addEventListener("DOMContentLoaded", () => {
  const d = location.hash && document.getElementById(location.hash.slice(1));
  if (d instanceof HTMLDialogElement) openDialog(d);
  syncBulk();
  showTabs();
});

/* on a phone the tab that one is on may lie beyond the edge of its bar */
function showTabs() {
  $$(".tabs > [aria-current]").forEach((a) => {
    const bar = a.parentElement,
      { left, right } = bar.getBoundingClientRect(),
      own = a.getBoundingClientRect();
    if (own.right > right || own.left < left) bar.scrollLeft += own.left - left - 24;
  });
}
document.addEventListener("htmx:afterSettle", showTabs);

/* bulk selection */
function syncBulk() {
  let n = 0;
  $$("table[data-select]").forEach((t) => {
    const rows = $$("tbody input[type=checkbox]", t),
      chosen = rows.filter((r) => r.checked).length,
      all = $("thead input[type=checkbox]", t);
    n += chosen;
    if (all) {
      all.checked = chosen > 0 && chosen === rows.length;
      all.indeterminate = chosen > 0 && chosen < rows.length;
    }
  });
  const bar = $(".bulkbar");
  if (bar) {
    bar.hidden = !n;
    const o = $("output", bar);
    if (o) o.textContent = n;
  }
}
document.addEventListener("change", (e) => {
  const all = e.target.closest("table[data-select] thead input");
  if (all) all.closest("table").querySelectorAll("tbody input[type=checkbox]").forEach((r) => (r.checked = all.checked));
  syncBulk();
});

/* keyboard: "/" search, Escape closes menus, j/k move and c/r/s decide in a review table */
const toSearch = () => {
  const field = $("#global-search");
  field?.checkVisibility() ? field.focus() : $(".search-link")?.click();
};
document.addEventListener("keydown", (e) => {
  if ((e.ctrlKey || e.metaKey) && !e.altKey && !e.shiftKey && e.key.toLowerCase() === "k" && $(".search-link")) {
    e.preventDefault();
    toSearch();
  }
  if (e.key === "Escape")
    $$("details.menu[open]").forEach((m) => {
      m.open = false;
      $("summary", m).focus();
    });
  if (
    e.target.matches("input, textarea, select") ||
    e.ctrlKey ||
    e.metaKey ||
    e.altKey ||
    document.documentElement.dataset.shortcuts === "off"
  )
    return; /* WCAG 2.1.4: a profile setting renders data-shortcuts="off" */
  if (e.key === "/") {
    e.preventDefault();
    toSearch();
  }
  const t = $("[data-review]");
  if (!t || $("dialog[open]")) return;
  const rows = $$("tbody tr", t);
  let i = rows.findIndex((r) => r.classList.contains("is-current"));
  if ("jk".includes(e.key)) {
    rows[i]?.classList.remove("is-current");
    i = Math.max(0, Math.min(rows.length - 1, i + (e.key === "j" ? 1 : -1)));
    rows[i].classList.add("is-current");
    rows[i].focus();
    rows[i].scrollIntoView({ block: "nearest" });
  }
  const b = { c: "certify", r: "revoke", s: "skip" }[e.key];
  if (b) $(`[value=${b}]`, rows[i])?.click();
});

/* a menu closes when the focus has left it */
document.addEventListener("focusout", (e) => {
  const m = e.target.closest("details.menu[open]");
  if (m && e.relatedTarget && !m.contains(e.relatedTarget)) m.open = false;
});

/* a form that was refused: the focus goes to the first wrong field, or else to what says what is wrong */
const FIELD = "input:not([type=hidden]), select, textarea";
function focusWrong(root, isRefused) {
  const said = isRefused ? "[data-form-error], [role=alert]" : "[data-form-error]",
    wrong = $$('[aria-invalid="true"]', root).find((e) => e.type !== "hidden") ?? $(said, root);
  if (!wrong) return false;
  for (let d = wrong.closest("details"); d; d = d.parentElement.closest("details")) d.open = true;
  const target = wrong.matches(FIELD) ? wrong : ($(FIELD, wrong) ?? wrong);
  if (!target.matches(FIELD)) target.tabIndex = -1;
  target.focus();
  target.scrollIntoView({ block: "nearest" });
  return true;
}
addEventListener("DOMContentLoaded", () => {
  const main = $("main"),
    status = performance.getEntriesByType("navigation")[0]?.responseStatus ?? 0;
  if (main && document.activeElement === document.body) focusWrong(main, status === 422 || status === 409);
});
const SUBMITS = ["submit", "click"]; /* not while somebody is still typing */
document.addEventListener("htmx:afterSettle", (e) => {
  const event = e.detail.requestConfig?.triggeringEvent;
  if (e.detail.xhr?.status !== 422 || !SUBMITS.includes(event?.type)) return;
  if (focusWrong(document.getElementById(e.detail.target?.id) ?? e.target, true)) lost = null;
});

/* a swap takes the focus away with the element that had it: its twin in what came gets it, after a change of page the table */
const twin = (e) =>
  [e.tagName, e.name, e.type === "checkbox" || e.type === "radio" ? e.value : "", e.getAttribute("aria-label")].join("|") +
  (e.getAttribute("aria-label") ? "" : e.textContent.replace(/[\d,+]+/g, "").trim());
let lost;
document.addEventListener("htmx:beforeSwap", (e) => {
  const had = document.activeElement,
    stays = had.closest("details.menu")?.querySelector("summary") ?? had;
  lost = e.detail.target.contains(had) && !had.id ? { twin: twin(stays), paged: !!had.closest(".pager") } : null;
});
document.addEventListener("htmx:afterSettle", (e) => {
  const part = document.getElementById(e.detail.target?.id) ?? e.target; /* not what came with it out of band */
  if (part.dataset?.announce) $("#announce").textContent = part.dataset.announce;
  if (!lost || document.activeElement !== document.body) return;
  const same = !lost.paged && $$("a, button, summary, input, select", part).find((x) => twin(x) === lost.twin),
    next = same || $(".table-scroll", part) || part;
  if (next === part) next.tabIndex = -1;
  next.focus({ preventScroll: true });
  lost = null;
});

/* an address says what is chosen, not what is not */
document.addEventListener("htmx:configRequest", (e) => {
  if (e.detail.verb !== "get") return;
  const sent = e.detail.formData;
  [...new Set(sent.keys())].forEach((k) => sent.getAll(k).every((v) => v === "") && sent.delete(k));
});

/* toasts: server sends HX-Trigger: {"toast": {"tone": "ok", "text": "..."}} */
function toast(text, tone = "ok") {
  const r = $(".toasts");
  if (!r) return;
  const d = document.createElement("div");
  d.className = "toast";
  d.dataset.tone = tone;
  const p = document.createElement("div");
  p.textContent = text;
  d.append(p);
  r.append(d);
  if (tone !== "bad") setTimeout(() => d.remove(), 6000);
}
document.addEventListener("toast", (e) => toast(e.detail.text, e.detail.tone));
document.addEventListener("htmx:responseError", () => toast("That did not go through. Nothing was changed.", "bad"));
document.addEventListener("htmx:sendError", () => toast("No connection. Nothing was sent.", "bad"));

/* copy what an element holds; numbers beside the policy editor; partly chosen access levels */
document.addEventListener("click", (e) => {
  const c = e.target.closest("[data-copy-from]");
  if (!c) return;
  const lines = $$("span[data-n]", $("#" + c.dataset.copyFrom)).map((s) => s.textContent);
  navigator.clipboard?.writeText(lines.join("\n") || $("#" + c.dataset.copyFrom).textContent).then(() => toast("Copied"));
});
document.addEventListener("input", (e) => {
  const gutter = e.target.closest(".editor textarea") && $(".editor .gutter");
  if (!gutter) return;
  const want = e.target.value.split("\n").length;
  while (gutter.children.length > want) gutter.lastElementChild.remove();
  while (gutter.children.length < want)
    gutter.append(Object.assign(document.createElement("li"), { textContent: gutter.children.length + 1 }));
});
const partly = () => $$(".level[data-some] input").forEach((i) => (i.indeterminate = true));
addEventListener("DOMContentLoaded", partly);
document.addEventListener("htmx:afterSettle", partly);

/* what is written while an answer is on its way stays: the answer knows only what was sent */
const texts = (r) =>
  $$("input[id]:not([type=checkbox], [type=radio], [type=hidden], [type=file], [type=password]), textarea[id]", r);
const sent = new WeakMap();
/* a live part that brings itself up to date knows nothing of what was begun in its forms: text, choices, and what was said to be missing */
const isPoll = (e) => e.detail.requestConfig?.headers?.["Gatehouse-Poll"];
const keyOf = (f) => f.id || [f.form?.getAttribute("action"), f.name, f.value].join("|");
const isChosen = (f) => (f.matches("select") ? f.value : f.checked);
const wasChosen = (f) => (f.matches("select") ? ($("option[selected]", f) ?? f.options[0])?.value : f.defaultChecked);
let late = [],
  chosen = [],
  missing = [];
document.addEventListener("htmx:beforeRequest", (e) => {
  if (e.detail.target) sent.set(e.detail.xhr, new Map(texts(e.detail.target).map((i) => [i.id, i.value])));
});
document.addEventListener("htmx:beforeSwap", (e) => {
  const then = sent.get(e.detail.xhr) ?? new Map();
  late = texts(e.detail.target)
    .filter((i) => (isPoll(e) ? i.value !== i.defaultValue : then.has(i.id) && then.get(i.id) !== i.value))
    .map((i) => [i.id, i.value, i.selectionStart]);
  if (!isPoll(e)) return;
  const fields = $$(FIELD, e.detail.target);
  chosen = fields.filter((f) => f.matches("select, [type=radio], [type=checkbox]") && isChosen(f) !== wasChosen(f)).map((f) => [keyOf(f), isChosen(f)]);
  missing = fields.filter((f) => f.ariaInvalid && "own" in (errorIn(placeOf(f))?.dataset ?? {})).map(keyOf);
});
document.addEventListener("htmx:afterSwap", () => {
  const fields = chosen.length || missing.length ? $$(FIELD) : [];
  chosen.splice(0).forEach(([key, value]) => {
    const f = fields.find((x) => keyOf(x) === key);
    if (f) f[f.matches("select") ? "value" : "checked"] = value;
  });
  late.splice(0).forEach(([id, value, at]) => {
    const i = document.getElementById(id);
    if (!i || i.value === value) return;
    i.value = value;
    if (at !== null && document.activeElement === i) i.setSelectionRange(at, at);
    /* the server has not seen it: a search goes on by itself, another field when it is left */
    if (i.type === "search") setTimeout(() => i.dispatchEvent(new Event("input", { bubbles: true })));
    else i.addEventListener("blur", () => i.dispatchEvent(new Event("change", { bubbles: true })), { once: true });
  });
  missing.splice(0).forEach((key) => {
    const f = fields.find((x) => keyOf(x) === key);
    if (f && !f.validity.valid) tellWrong(f);
  });
});

/* what somebody has opened stays open when the server answers with the whole part */
let kept = [],
  within = "";
document.addEventListener("htmx:beforeSwap", (e) => {
  kept = $$("details[data-keep][open]", e.detail.target).map((d) => d.id);
  within = document.activeElement.closest("details[data-keep]") && document.activeElement.id;
});
document.addEventListener("htmx:afterSwap", () => {
  kept.splice(0).forEach((id) => document.getElementById(id)?.setAttribute("open", ""));
  if (within) document.getElementById(within)?.focus({ preventScroll: true });
  within = "";
});

/* a field that is empty or malformed is told at the field, in our words: the browser's own bubble is in another language, and gone after a moment */
const nameOf = (f) => {
  const label = f.labels?.[0];
  const texts = label ? [...label.childNodes].filter((n) => n.nodeType === Node.TEXT_NODE) : [];
  return texts.map((n) => n.textContent).join(" ").trim() || f.getAttribute("aria-label") || "This field";
};
function wrongWords(f) {
  const name = nameOf(f);
  if (!f.validity.valueMissing)
    return f.validity.typeMismatch && f.type === "email" ? `“${f.value}” isn’t a valid email address.` : f.validationMessage;
  if (f.dataset.missing) return f.dataset.missing;
  if (f.type === "file") return "Choose a file.";
  if (f.type === "checkbox") return "Select this box to continue.";
  if (f.type === "radio" || f.matches("select")) return "Choose one.";
  if (name === "Reason" || ["reason", "why"].includes(f.name)) return "Enter a reason.";
  return /[?]$|^(Type|Enter|Write|What|How|Why)\b/.test(name) ? "Fill in this field." : `${name} is required.`;
}
const placeOf = (f) => (f.type === "radio" && f.closest("fieldset")) || f.closest(".field, label") || f.parentElement;
const errorIn = (place) => $(":scope > .error", place) ?? (place.matches("label") && $(":scope + .error", place));
function tellWrong(f) {
  const place = placeOf(f);
  let error = errorIn(place);
  if (!error) {
    error = Object.assign(document.createElement("span"), { className: "error", id: `${f.id || f.name}-error` });
    place.matches("label") ? place.after(error) : place.append(error);
  }
  const sheet = $("use")?.getAttribute("href").split("#")[0] ?? "";
  const svg = (name, attributes) => {
    const made = document.createElementNS("http://www.w3.org/2000/svg", name);
    Object.entries(attributes).forEach(([key, value]) => made.setAttribute(key, value));
    return made;
  };
  const icon = svg("svg", { class: "icon sm", "aria-hidden": "true" });
  icon.append(svg("use", { href: `${sheet}#circle-alert` }));
  error.replaceChildren(icon, wrongWords(f));
  error.dataset.own = "";
  f.setAttribute("aria-invalid", "true");
  f.setAttribute("aria-describedby", [...new Set(`${f.getAttribute("aria-describedby") ?? ""} ${error.id}`.trim().split(/\s+/))].join(" "));
}
let refused = null;
document.addEventListener(
  "invalid",
  (e) => {
    const f = e.target;
    if (!f.matches(FIELD)) return;
    e.preventDefault();
    tellWrong(f);
    refused ??= setTimeout(() => {
      refused = null;
      focusWrong(f.form ?? placeOf(f), false);
    });
  },
  true,
);
["input", "change"].forEach((kind) =>
  document.addEventListener(kind, (e) => {
    const error = e.target.matches(FIELD) && e.target.ariaInvalid && errorIn(placeOf(e.target));
    if (!error || !("own" in error.dataset) || !e.target.validity.valid) return;
    [e.target, ...(e.target.type === "radio" ? $$("input[type=radio]", placeOf(e.target)) : [])].forEach((f) => f.removeAttribute("aria-invalid"));
    error.remove();
  }),
);

/* a file beyond the limit is refused before it is sent: the server would refuse it too, but only after the wait */
document.addEventListener("change", (e) => {
  const max = +e.target.dataset?.maxBytes;
  if (!max) return;
  const big = [...e.target.files].some((f) => f.size > max);
  e.target.setCustomValidity(big ? `This file is larger than ${Math.floor(max / 1048576)} MB, the most that is taken here.` : "");
  if (big) e.target.reportValidity();
});

/* search suggestions: arrows walk through them, Escape closes them */
document.addEventListener("keydown", (e) => {
  const f = e.target.closest("form.search.menu");
  if (!f) return;
  const stops = [$("input[type=search]", f), ...$$(".found a", f)],
    to = stops[stops.indexOf(e.target) + ({ ArrowDown: 1, ArrowUp: -1 }[e.key] ?? NaN)];
  if (to) {
    e.preventDefault();
    to.focus();
  }
  if (e.key === "Escape") {
    $(".found", f).replaceChildren();
    stops[0].focus();
  }
});

/* the frame outlives a swap: its links to another account or moment keep the filters that the address has now */
document.addEventListener("htmx:pushedIntoHistory", () => {
  const rest = new URLSearchParams(location.search);
  ["after", "before", "account", "as-of"].forEach((k) => rest.delete(k));
  $$(".acct a[href^='?'], .asof a[href^='?'], .pastbar a[href^='?']").forEach((a) => {
    const own = new URLSearchParams(a.getAttribute("href")),
      q = new URLSearchParams(rest);
    ["account", "as-of"].forEach((k) => own.has(k) && q.set(k, own.get(k)));
    a.href = "?" + q;
  });
  const form = $(".asof form"),
    account = form && $("input[type=hidden][name=account]", form)?.value;
  if (!form) return;
  $$("input[type=hidden]", form).forEach((i) => i.remove());
  if (account) rest.set("account", account);
  rest.forEach((value, name) => form.append(Object.assign(document.createElement("input"), { type: "hidden", name, value })));
});
