/* Addresses that htmx changes: they name what is chosen, and the links of the frame follow them. */
import { $, $$ } from "./dom.js";

/* An address says what is chosen, not what is not. */
document.addEventListener("htmx:configRequest", (event) => {
  if (event.detail.verb !== "get") return;
  const form = event.detail.formData;
  [...new Set(form.keys())].forEach((name) => form.getAll(name).every((value) => value === "") && form.delete(name));
});

/* The frame outlives a swap: its links to another account or date keep the filters that the address has now. */
document.addEventListener("htmx:pushedIntoHistory", () => {
  const filters = new URLSearchParams(location.search);
  ["after", "before", "account", "as-of"].forEach((name) => filters.delete(name));
  $$(".acct a[href^='?'], .asof a[href^='?'], .pastbar a[href^='?']").forEach((link) => {
    const own = new URLSearchParams(link.getAttribute("href")),
      query = new URLSearchParams(filters);
    ["account", "as-of"].forEach((name) => own.has(name) && query.set(name, own.get(name)));
    link.href = "?" + query;
  });
  const form = $(".asof form"),
    account = form && $("input[type=hidden][name=account]", form)?.value;
  if (!form) return;
  $$("input[type=hidden]", form).forEach((field) => field.remove());
  if (account) filters.set("account", account);
  filters.forEach((value, name) => form.append(Object.assign(document.createElement("input"), { type: "hidden", name, value })));
});
