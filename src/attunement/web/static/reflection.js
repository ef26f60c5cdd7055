// Seals what is being typed every few seconds; veils and locks the page when nobody types. Without it the page's buttons do.
"use strict";
const form = document.getElementById("reflection");
const kept = document.getElementById("kept");
let changed = false;
let sending = false;
let last = Date.now();

function lockedNow() {
  if (form.dataset.locked !== undefined) return;
  document.body.classList.add("veiled");
  location.replace(location.pathname); // what was typed is sealed; the page asks for the passphrase
}

async function seal() {
  if (!changed || sending || form.dataset.locked !== undefined) return true;
  changed = false;
  sending = true;
  try {
    const answer = await fetch(form.dataset.draft, {
      method: "POST", body: new URLSearchParams(new FormData(form)), cache: "no-store",
    });
    if (answer.status === 204) kept.textContent = "Sealed as you type.";
    else {
      changed = true;
      kept.textContent = answer.status === 401 ? "Locked. Seal it to be asked for your passphrase; nothing is lost." : "Not sealed yet.";
    }
    return answer.status === 204;
  } catch {
    changed = true;
    kept.textContent = "Not sealed yet: the program does not answer. Nothing is lost while this page is open.";
    return false;
  } finally {
    sending = false;
  }
}

form.addEventListener("input", () => { changed = true; last = Date.now(); });
form.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    form.querySelector('button[name="finished"][value="yes"]').click();
  }
});
setInterval(seal, 3000);
setInterval(async () => {
  if (Date.now() - last < 1000 * Number(form.dataset.idle)) return;
  if (await seal()) lockedNow();
}, 5000);
