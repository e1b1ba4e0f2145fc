/* What this browser keeps for a year: the theme and the time zone. In production over HTTPS only, and for this host only. */
const prefix = document.documentElement.dataset.cookies ?? "";
const keep = (name, value) => {
  document.cookie = `${prefix}${name}=${value}; path=/; max-age=31536000; samesite=lax${prefix && "; secure"}`;
};

/* The server renders the theme from the cookie, so no page flashes. */
document.addEventListener("click", (event) => {
  if (!event.target.closest("[data-theme-toggle]")) return;
  const { dataset } = document.documentElement;
  const isDark = dataset.theme ? dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  dataset.theme = isDark ? "light" : "dark";
  keep("theme", dataset.theme);
});

/* Times are shown in the reader's zone: the server knows it from the next page on. */
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
if (zone && !document.cookie.includes(`zone=${zone}`)) keep("zone", zone);
