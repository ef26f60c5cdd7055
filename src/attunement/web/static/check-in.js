// Sends the answers in place, so that nothing typed is lost where the line is bad; without it the form sends itself.
"use strict";
const form = document.getElementById("check-in");
const said = document.getElementById("said");
const send = form.querySelector(".send");
const label = send.textContent;

function tell(sentence) {
  said.textContent = sentence;
  said.hidden = !sentence;
  send.disabled = false;
  send.textContent = label;
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  if (send.disabled) return;
  send.disabled = true;
  send.textContent = form.dataset.sending;
  let answer;
  try {
    answer = await fetch(location.pathname, {
      method: "POST", body: new URLSearchParams(new FormData(form)), cache: "no-store", redirect: "manual",
    });
  } catch {
    tell(form.dataset.unsure);
    return;
  }
  if (answer.status >= 500) {
    tell(form.dataset.notSent);
    return;
  }
  // It is on the disk: the same sending again shows the page that follows, and counts once.
  HTMLFormElement.prototype.submit.call(form);
});
