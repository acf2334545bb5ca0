// Tells how good a new password is while it is typed. It asks the address in data-meter, with the fields of the form
// that the password must not repeat; the words are in the page. Without scripts, or an answer, there is no meter.
// What was wrong with the password that was sent before is no longer said of another one.
const pause = 400; // ms after the last key

const install = (meter) => {
  const input = document.getElementById(meter.dataset.of);
  const words = meter.querySelector("[role=status]");
  const told = new Map([...meter.querySelectorAll("template")].map((each) => [each.dataset.told, each.content.textContent]));
  let timer = null;
  let asked = null;

  const show = (score, text) => {
    if (score === null) delete meter.dataset.score;
    else meter.dataset.score = score;
    // Said again only when it is something else.
    if (words.textContent !== text) words.textContent = text;
  };
  const ask = async () => {
    const fields = new URLSearchParams();
    for (const name of ["csrf_token", "username", "email", "name"]) {
      const field = input.form.elements.namedItem(name);
      if (field) fields.set(name, field.value);
    }
    fields.set("password", input.value);
    asked = new AbortController();
    try {
      const answer = await fetch(meter.dataset.meter, { method: "POST", body: fields, signal: asked.signal });
      if (!answer.ok) return show(null, "");
      const { score, problem } = await answer.json();
      // Whatever the estimate, what cannot be taken never looks good.
      show(problem ? Math.min(score, 2) : score, told.get(problem ?? `good-${score}`) ?? "");
    } catch (error) {
      if (error.name !== "AbortError") show(null, "");
    }
  };

  input.addEventListener("input", () => {
    clearTimeout(timer);
    asked?.abort();
    input.removeAttribute("aria-invalid");
    document.getElementById(`${input.id}-error`)?.remove();
    meter.hidden = false; // before there are words in it, so that they are read out
    if (input.value) timer = setTimeout(ask, pause);
    else show(null, "");
  });
};

for (const meter of document.querySelectorAll("[data-meter]")) install(meter);
