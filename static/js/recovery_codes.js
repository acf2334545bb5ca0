// Copies and prints the codes on the page; without scripts they can be downloaded, or written down.
"use strict";

const codes = document.getElementById("codes");
const copy = document.getElementById("copy-codes");
const print = document.getElementById("print-codes");

if (navigator.clipboard) {
  copy.hidden = false;
  copy.addEventListener("click", async () => {
    const lines = [...codes.children].map((code) => code.textContent);
    await navigator.clipboard.writeText(lines.join("\n"));
  });
}
print.hidden = false;
print.addEventListener("click", () => window.print());
