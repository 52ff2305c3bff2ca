"use strict";
// Puts the newest page in this one's place and leaves open what the reader has opened.
const live = document.getElementById("live");
const again = document.getElementById("again");
const said = document.getElementById("said");
let since = null;

async function refresh() {
  let page;
  try {
    const answer = await fetch(location.pathname, { cache: "no-store" });
    if (!answer.ok) throw new Error();
    page = new DOMParser().parseFromString(await answer.text(), "text/html");
  } catch {
    since ??= new Date().toISOString().slice(11, 16);
    said.textContent = `No new figures since ${since} UTC: the dashboard does not answer.`;
    return;
  }
  since = null;
  said.textContent = "";
  for (const open of document.querySelectorAll("details[open][id]")) {
    page.getElementById(open.id)?.setAttribute("open", "");
  }
  const focused = document.activeElement?.closest("main [id]")?.id;
  for (const part of ["header", "main"]) {
    document.querySelector(part).replaceWith(page.querySelector(part));
  }
  if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
  document.title = page.title;
}

again.parentElement.hidden = false;
setInterval(() => { if (again.checked && !document.hidden) refresh(); }, live.dataset.seconds * 1000);
