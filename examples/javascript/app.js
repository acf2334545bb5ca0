// A third-party application that signs people in through the server. See the README beside it.

import { randomUUID } from "node:crypto";
import { createServer } from "node:http";
import * as client from "openid-client";

const { CLIENT_ID, CLIENT_SECRET, PORT = "9002" } = process.env;
const ISSUER = process.env.ISSUER ?? "http://localhost:8000";
const HOME = process.env.HOME_URL ?? `http://localhost:${PORT}`;
const SCOPE = "openid profile email";

const config = await client.discovery(
  new URL(ISSUER),
  CLIENT_ID,
  undefined,
  client.ClientSecretBasic(CLIENT_SECRET),
  // Plain http is for trying things on one machine.
  new URL(ISSUER).hostname === "localhost" ? { execute: [client.allowInsecureRequests] } : undefined,
);

const sessions = new Map();

function sessionOf(request, response) {
  const known = /(?:^|; )app=([\w-]+)/.exec(request.headers.cookie ?? "")?.[1];
  const id = sessions.has(known) ? known : randomUUID();
  if (id !== known) {
    sessions.set(id, {});
    response.setHeader("set-cookie", `app=${id}; HttpOnly; SameSite=Lax; Path=/`);
  }
  return sessions.get(id);
}

const escape = (text) => String(text ?? "").replace(/[&<>"]/g, (char) => `&#${char.charCodeAt(0)};`);

const pages = {
  "/": (session) =>
    session.person
      ? `<p id="person">${escape(session.person.name ?? session.person.preferred_username)} (${escape(session.person.email)})</p>
         <p><a id="sign-out" href="/sign-out">Sign out</a>`
      : '<p><a id="sign-in" href="/sign-in">Sign in</a>',

  "/sign-in": async (session, url, go) => {
    session.verifier = client.randomPKCECodeVerifier();
    session.state = client.randomState();
    session.nonce = client.randomNonce();
    const code_challenge = await client.calculatePKCECodeChallenge(session.verifier);
    const { state, nonce } = session;
    const parameters = { redirect_uri: `${HOME}/callback`, scope: SCOPE, code_challenge, code_challenge_method: "S256", state, nonce };
    go(client.buildAuthorizationUrl(config, parameters));
  },

  "/callback": async (session, url, go) => {
    const tokens = await client.authorizationCodeGrant(config, url, {
      pkceCodeVerifier: session.verifier,
      expectedState: session.state,
      expectedNonce: session.nonce,
    });
    session.person = await client.fetchUserInfo(config, tokens.access_token, tokens.claims().sub);
    session.idToken = tokens.id_token;
    go("/");
  },

  "/sign-out": (session, url, go) => {
    const parameters = { id_token_hint: session.idToken, post_logout_redirect_uri: `${HOME}/` };
    delete session.person;
    go(client.buildEndSessionUrl(config, parameters));
  },
};

createServer(async (request, response) => {
  const url = new URL(request.url, HOME);
  const session = sessionOf(request, response);
  const go = (address) => response.writeHead(303, { location: String(address) }).end();
  try {
    const page = await (pages[url.pathname] ?? (() => "<p>Nothing here"))(session, url, go);
    if (!response.writableEnded) {
      response.writeHead(200, { "content-type": "text/html; charset=utf-8" });
      response.end(`<h1>JavaScript example</h1>${page}`);
    }
  } catch (error) {
    response.writeHead(400, { "content-type": "text/html; charset=utf-8" });
    response.end(`<h1 id="refused">${escape(error.error ?? error.message)}</h1>`);
  }
}).listen(Number(PORT), "127.0.0.1", () => console.log(`Open ${HOME}`));
