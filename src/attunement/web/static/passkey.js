// A passkey: made by the browser, and asked for at sign-in. The only page parts here that need a script.
"use strict";
const answer = document.getElementById("passkey-answer");

function bytes(text) {
  const plain = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(plain, (sign) => sign.charCodeAt(0));
}

function text(buffer) {
  const plain = String.fromCharCode(...new Uint8Array(buffer));
  return btoa(plain).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

function told(made) {
  const { response } = made;
  const parts = {};
  for (const name of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]) {
    if (response[name]) parts[name] = text(response[name]);
  }
  return JSON.stringify({ id: made.id, rawId: text(made.rawId), type: made.type, response: parts });
}

const make = document.getElementById("make-passkey");
if (make && window.PublicKeyCredential) {
  const form = document.getElementById("new-passkey");
  const options = JSON.parse(form.dataset.options);
  make.hidden = false;
  make.addEventListener("click", async () => {
    try {
      const made = await navigator.credentials.create({ publicKey: {
        challenge: bytes(options.challenge), rp: { name: "Attunement", id: options.host },
        user: { id: new TextEncoder().encode(options.account), name: options.account, displayName: options.account },
        pubKeyCredParams: [{ type: "public-key", alg: -7 }, { type: "public-key", alg: -257 }],
        authenticatorSelection: { userVerification: "preferred" }, attestation: "none", timeout: 60000,
      } });
      answer.value = told(made);
      form.submit();
    } catch {
      document.getElementById("passkey-said").textContent = "No passkey was made. You can try again.";
    }
  });
}

const use = document.getElementById("use-passkey");
if (use && window.PublicKeyCredential) {
  const form = document.getElementById("second");
  use.hidden = false;
  use.addEventListener("click", async () => {
    try {
      const made = await navigator.credentials.get({ publicKey: {
        allowCredentials: form.dataset.credentials.split(" ").map((id) => ({ type: "public-key", id: bytes(id) })),
        challenge: bytes(form.dataset.challenge), rpId: location.hostname, userVerification: "preferred", timeout: 60000,
      } });
      answer.value = told(made);
      form.submit();
    } catch {
      use.textContent = "Not used. Try again";
    }
  });
}
