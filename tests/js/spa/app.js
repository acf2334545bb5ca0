// A single-page application as oidc-client-ts would have one written. Its settings come with the
// address of its first page; tests call what `app` offers and read what the page says.

const remembered = new URLSearchParams(location.search).get("settings");
if (remembered) sessionStorage.setItem("settings", remembered);

const manager = new oidc.UserManager({
  redirect_uri: `${location.origin}/`,
  silent_redirect_uri: `${location.origin}/`,
  popup_redirect_uri: `${location.origin}/`,
  post_logout_redirect_uri: `${location.origin}/bye`,
  userStore: new oidc.WebStorageStateStore({ store: sessionStorage }),
  automaticSilentRenew: false,
  loadUserInfo: true,
  ...JSON.parse(sessionStorage.getItem("settings") ?? openersSettings()),
});

// A frame or pop-up of ours finds the settings where the page that opened it keeps them.
function openersSettings() {
  const opener = window.opener ?? window.parent;
  return opener.sessionStorage.getItem("settings");
}

const told = (user) => ({
  sub: user.profile.sub,
  name: user.profile.name,
  email: user.profile.email,
  access_token: user.access_token,
  refresh_token: user.refresh_token,
  scope: user.scope,
});

const app = {
  signIn: () => manager.signinRedirect(),
  signInWithPopup: () => manager.signinPopup().then(told),
  renew: () => manager.signinSilent().then(told),
  renewInFrame: async () => {
    const user = await manager.getUser();
    await manager.storeUser(new oidc.User({ ...user, refresh_token: undefined }));
    return manager.signinSilent().then(told, (error) => ({ error: error.error ?? error.message }));
  },
  signOut: () => manager.signoutRedirect(),
};

async function arrive() {
  if (new URLSearchParams(location.search).has("state")) {
    const user = await manager.signinCallback();
    if (user) history.replaceState(null, "", "/");
  }
  const user = await manager.getUser();
  return user ? { user: told(user) } : { user: null };
}

arrive().then(
  (state) => (document.getElementById("state").textContent = JSON.stringify(state)),
  (error) => (document.getElementById("state").textContent = JSON.stringify({ error: error.message })),
);
