// Show and hide a password. Without script the button stays hidden and the password covered.
for (const button of document.querySelectorAll(".with-action > button[aria-controls]")) {
  const input = document.getElementById(button.getAttribute("aria-controls"));
  const [show, hide] = button.children;
  const cover = (covered) => {
    input.type = covered ? "password" : "text";
    show.hidden = !covered;
    hide.hidden = covered;
  };

  button.hidden = false;
  button.addEventListener("click", () => cover(input.type === "text"));
  // Browsers offer to keep what was typed into a password field only.
  input.form.addEventListener("submit", () => cover(true));
}
