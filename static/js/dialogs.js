/* Dialogs and drawers open by <button data-open="id">, by the fragment of the address, or by a swap into <dialog data-auto>.
   <button data-close> closes what is around it. */
import { $ } from "./dom.js";

const open = (dialog) => {
  if (dialog && !dialog.open) dialog.showModal();
};

document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-open]");
  if (opener) {
    event.preventDefault();
    open($("#" + opener.dataset.open));
  }
  if (event.target.closest("[data-close]")) {
    const box = event.target.closest("dialog, .toast, .banner");
    if (box?.matches("dialog")) box.close();
    else box?.remove();
  }
  if (event.target.matches("dialog")) event.target.close(); /* the backdrop */
});
document.addEventListener("htmx:afterSwap", (event) => open(event.target.closest?.("dialog[data-auto]")));
addEventListener("DOMContentLoaded", () => {
  const named = location.hash && document.getElementById(location.hash.slice(1));
  if (named instanceof HTMLDialogElement) open(named);
});
