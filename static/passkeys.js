/* A passkey that did not work: say so beside the button instead of in the browser's console. */
document.addEventListener("allauth.error", (e) => {
  const place = document.querySelector("[data-passkey-error]");
  if (!place) return;
  e.preventDefault();
  const name = e.detail.exception?.name;
  place.textContent =
    name === "NotAllowedError"
      ? "The passkey was not used: it was cancelled, or it took too long. Nothing was changed."
      : name === "InvalidStateError"
        ? "This passkey is enrolled already. Choose another device."
        : name === "SecurityError"
          ? "Passkeys do not work at this address."
          : "The passkey did not work. Try again, or use another way.";
  place.hidden = false;
});
