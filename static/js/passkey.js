// Passkeys. A form, or a part of one, with data-passkey gets one ("get") or makes one ("create"): it asks the address
// in data-options what to ask the browser for, puts the answer into the field "credential", and sends the form, a part
// to its data-action. It stays hidden where there is no script or no passkey; what can go wrong stands in it, hidden,
// by data-problem.
const decode = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
const encode = (bytes) =>
  btoa(String.fromCharCode(...new Uint8Array(bytes))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
const decodeIds = (list) => list?.map((each) => ({ ...each, id: decode(each.id) }));

const problems = {
  AbortError: null,
  NotAllowedError: "cancelled",
  InvalidStateError: "exists",
  NotSupportedError: "unsupported",
  ConstraintError: "unsupported",
  SecurityError: "address",
};
const named = (error, notes) =>
  error.name in problems ? problems[error.name] : notes.some((note) => note.dataset.problem === error.name) ? error.name : "failed";

const renewAfter = 240_000; // a challenge lives five minutes

const askFor = async (address, form) => {
  const answer = await fetch(address, { method: "POST", body: new URLSearchParams(new FormData(form)) });
  const options = await answer.json();
  if (!answer.ok) throw { name: options.refused };
  const user = options.user && { ...options.user, id: decode(options.user.id) };
  return {
    ...options,
    ...(user && { user }),
    challenge: decode(options.challenge),
    allowCredentials: decodeIds(options.allowCredentials),
    excludeCredentials: decodeIds(options.excludeCredentials),
  };
};

const write = ({ id, rawId, type, authenticatorAttachment, response }, extensions) => {
  const told = { clientDataJSON: encode(response.clientDataJSON) };
  if (response.attestationObject) {
    told.attestationObject = encode(response.attestationObject);
    told.transports = response.getTransports?.() ?? [];
  } else {
    told.authenticatorData = encode(response.authenticatorData);
    told.signature = encode(response.signature);
    if (response.userHandle) told.userHandle = encode(response.userHandle);
  }
  return JSON.stringify({
    id,
    rawId: encode(rawId),
    type,
    authenticatorAttachment: authenticatorAttachment ?? undefined,
    response: told,
    clientExtensionResults: { credProps: extensions.credProps },
  });
};

const install = (part) => {
  const form = part.closest("form");
  const button = part.querySelector(part === form ? "[type=submit]" : "button");
  const notes = [...part.querySelectorAll("[data-problem]")];
  const send = () => {
    if (part.dataset.action) form.action = part.dataset.action;
    form.submit();
  };
  let pending = null;

  const run = async (mediation) => {
    pending?.abort();
    const mine = (pending = new AbortController());
    const publicKey = await askFor(part.dataset.options, form);
    const credential = await navigator.credentials[part.dataset.passkey]({ publicKey, mediation, signal: mine.signal });
    form.elements.credential.value = write(credential, credential.getClientExtensionResults());
    send();
  };
  const waitInAutofill = async () => {
    try {
      await run("conditional");
    } catch {
      // Whoever chooses none is told nothing.
    }
  };
  const show = (problem) => {
    for (const note of notes) note.hidden = note.dataset.problem !== problem;
  };

  let isAsking = false;
  const fill = async () => {
    if ("autofill" in part.dataset && !isAsking && (await PublicKeyCredential.isConditionalMediationAvailable?.())) {
      await waitInAutofill();
    }
  };
  const start = async (event) => {
    event.preventDefault();
    isAsking = true;
    let next = button;
    button.disabled = true;
    show(null);
    try {
      await run();
    } catch (error) {
      if (error.name === "fields") return send(); // the page says what is wrong with them
      const problem = named(error, notes);
      show(problem);
      if (problem?.startsWith("password_")) next = form.elements.current_password;
      isAsking = false;
      fill();
    }
    button.disabled = false;
    next.focus(); // a disabled button has lost it
  };
  if (part === form) form.addEventListener("submit", start);
  else button.addEventListener("click", start);
  part.hidden = false;
  fill();
  setInterval(fill, renewAfter);
};

// The browser forgets passkeys that we do not know any more.
const signal = (name, told) => {
  const method = window.PublicKeyCredential?.[name];
  if (method) method.call(PublicKeyCredential, told).catch(() => {});
};
for (const { dataset } of document.querySelectorAll("[data-unknown-passkey]")) {
  signal("signalUnknownCredential", { rpId: dataset.rpId, credentialId: dataset.unknownPasskey });
}
for (const { dataset } of document.querySelectorAll("[data-known-passkeys]")) {
  const allAcceptedCredentialIds = dataset.knownPasskeys.split(" ").filter(Boolean);
  signal("signalAllAcceptedCredentials", { rpId: dataset.rpId, userId: dataset.userHandle, allAcceptedCredentialIds });
}

if (window.PublicKeyCredential && navigator.credentials) {
  document.getElementById("no-passkeys")?.remove();
  for (const part of document.querySelectorAll("[data-passkey]")) install(part);
  // A form that may lead to an offer of a passkey says whether this device could make one.
  const field = document.querySelector("[data-can-passkey]");
  const canMake = field && PublicKeyCredential.isUserVerifyingPlatformAuthenticatorAvailable?.();
  canMake?.then((can) => can && (field.value = "yes"), () => {});
}
