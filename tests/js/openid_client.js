// openid-client as an independent judge. The one argument names an exercise and where the server is.
// What needs a person is written as {"open": address}; a line back is where the browser was sent.
// The last line is {"done": …}: what the application saw.

import { createInterface } from "node:readline";
import * as client from "openid-client";

const known = JSON.parse(process.argv[2]);
const issuer = new URL(known.issuer);
const insecure = { execute: [client.allowInsecureRequests] };
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

const tell = (what) => process.stdout.write(`${JSON.stringify(what)}\n`);

async function browse(address) {
  tell({ open: address.href });
  return new URL((await lines.next()).value);
}

const pair = (name) => crypto.subtle.generateKey(name, true, ["sign", "verify"]);
const p256 = () => pair({ name: "ECDSA", namedCurve: "P-256" });

async function published(keys, more) {
  return { ...(await crypto.subtle.exportKey("jwk", keys.publicKey)), ...more, key_ops: undefined };
}

// Registers an application of its own with the server; every exercise begins with it.
const register = (metadata, authentication = client.ClientSecretBasic()) =>
  client.dynamicClientRegistration(
    issuer,
    {
      client_name: "Judge",
      redirect_uris: [known.redirect_uri],
      post_logout_redirect_uris: [known.home],
      grant_types: ["authorization_code", "refresh_token"],
      ...metadata,
    },
    authentication,
    insecure,
  );

async function registerWithKey(metadata = {}) {
  const keys = await p256();
  const jwks = { keys: [await published(keys, { kid: "sign", alg: "ES256", use: "sig" })] };
  const all = { jwks, token_endpoint_auth_method: "private_key_jwt", ...metadata };
  const key = { key: keys.privateKey, kid: "sign" };
  return { config: await register(all, client.PrivateKeyJwt(key)), key };
}

async function begin(more = {}) {
  const verifier = client.randomPKCECodeVerifier();
  const attempt = { verifier, state: client.randomState(), nonce: client.randomNonce() };
  const parameters = {
    redirect_uri: known.redirect_uri,
    scope: known.scope,
    code_challenge: await client.calculatePKCECodeChallenge(verifier),
    code_challenge_method: "S256",
    state: attempt.state,
    nonce: attempt.nonce,
    ...more,
  };
  return { ...attempt, parameters };
}

const redeem = (config, callback, attempt, options) =>
  client.authorizationCodeGrant(
    config,
    callback,
    {
      pkceCodeVerifier: attempt.verifier,
      expectedState: attempt.state,
      expectedNonce: attempt.nonce,
      idTokenExpected: true,
    },
    undefined,
    options,
  );

async function signIn(config, options) {
  const attempt = await begin();
  const callback = await browse(client.buildAuthorizationUrl(config, attempt.parameters));
  return redeem(config, callback, attempt, options);
}

const told = async (config, tokens, options) => ({
  claims: tokens.claims(),
  userinfo: await client.fetchUserInfo(config, tokens.access_token, tokens.claims().sub, options),
});

const exercises = {
  async life_of_tokens() {
    const config = await register();
    const tokens = await signIn(config);
    const refreshed = await client.refreshTokenGrant(config, tokens.refresh_token);
    const seen = await told(config, refreshed);
    const introspected = await client.tokenIntrospection(config, refreshed.access_token);
    await client.tokenRevocation(config, refreshed.refresh_token);
    return {
      ...seen,
      client_id: config.clientMetadata().client_id,
      id_token: tokens.id_token,
      access_token: tokens.access_token,
      first_claims: tokens.claims(),
      rotated: refreshed.refresh_token !== tokens.refresh_token,
      introspected,
      afterwards: await client.tokenIntrospection(config, refreshed.access_token),
      refusal: await client
        .refreshTokenGrant(config, refreshed.refresh_token)
        .then(() => null, (error) => error.error),
    };
  },

  async pushed_request() {
    const config = await register({ require_pushed_authorization_requests: true });
    const attempt = await begin();
    const address = await client.buildAuthorizationUrlWithPAR(config, attempt.parameters);
    const tokens = await redeem(config, await browse(address), attempt);
    return { asked: [...address.searchParams.keys()].sort(), ...(await told(config, tokens)) };
  },

  async request_object() {
    const { config, key } = await registerWithKey({ request_object_signing_alg: "ES256" });
    const attempt = await begin();
    const address = await client.buildAuthorizationUrlWithJAR(config, attempt.parameters, key);
    const tokens = await redeem(config, await browse(address), attempt);
    return { asked: [...address.searchParams.keys()].sort(), ...(await told(config, tokens)) };
  },

  async signed_response() {
    const config = await register({ authorization_signed_response_alg: "ES256" });
    client.useJwtResponseMode(config);
    const attempt = await begin();
    const callback = await browse(client.buildAuthorizationUrl(config, attempt.parameters));
    const tokens = await redeem(config, callback, attempt);
    return { answered: [...callback.searchParams.keys()], ...(await told(config, tokens)) };
  },

  async private_key_jwt_and_dpop() {
    const { config } = await registerWithKey({
      dpop_bound_access_tokens: true,
      id_token_signed_response_alg: "ES256",
    });
    const options = { DPoP: client.getDPoPHandle(config, await client.randomDPoPKeyPair("ES256")) };
    const attempt = await begin();
    const address = await client.buildAuthorizationUrlWithPAR(config, attempt.parameters, options);
    const tokens = await redeem(config, await browse(address), attempt, options);
    const refreshed = await client.refreshTokenGrant(
      config, tokens.refresh_token, undefined, options,
    );
    const introspected = await client.tokenIntrospection(config, refreshed.access_token);
    return {
      ...(await told(config, refreshed, options)),
      token_type: tokens.token_type,
      bound_to: introspected.cnf,
      unbound: await client
        .fetchUserInfo(config, refreshed.access_token, client.skipSubjectCheck)
        .then(() => null, (error) => error.status ?? error.cause?.[0]?.parameters?.error),
    };
  },

  async client_secret_jwt() {
    const config = await register(
      { token_endpoint_auth_method: "client_secret_jwt" },
      client.ClientSecretJwt(),
    );
    return told(config, await signIn(config));
  },

  async device() {
    const config = await register(
      {
        grant_types: ["urn:ietf:params:oauth:grant-type:device_code", "refresh_token"],
        redirect_uris: [],
        token_endpoint_auth_method: "none",
      },
      client.None(),
    );
    const begun = await client.initiateDeviceAuthorization(config, { scope: known.scope });
    await browse(new URL(begun.verification_uri_complete));
    const tokens = await client.pollDeviceAuthorizationGrant(config, begun);
    return { ...(await told(config, tokens)), user_code: begun.user_code };
  },

  async encrypted_tokens() {
    const keys = await crypto.subtle.generateKey(
      { name: "ECDH", namedCurve: "P-256" }, true, ["deriveBits"],
    );
    const enc = await published(keys, { kid: "enc", use: "enc", alg: "ECDH-ES" });
    const config = await register({
      jwks: { keys: [enc] },
      id_token_encrypted_response_alg: "ECDH-ES",
      id_token_encrypted_response_enc: "A256GCM",
      userinfo_signed_response_alg: "ES256",
      id_token_signed_response_alg: "ES256",
    });
    const key = { key: keys.privateKey, kid: "enc", alg: "ECDH-ES" };
    client.enableDecryptingResponses(config, ["A256GCM"], key);
    const tokens = await signIn(config);
    return { ...(await told(config, tokens)), parts: tokens.id_token.split(".").length };
  },

  async registration() {
    const config = await register({ client_name: "Self-made" });
    const metadata = config.clientMetadata();
    const headers = { authorization: `Bearer ${metadata.registration_access_token}` };
    const manage = (method) => fetch(metadata.registration_client_uri, { method, headers });
    const read = await (await manage("GET")).json();
    const deleted = (await manage("DELETE")).status;
    return { read, deleted, afterwards: (await manage("GET")).status };
  },

  async logout() {
    const config = await register();
    const tokens = await signIn(config);
    const address = client.buildEndSessionUrl(config, {
      id_token_hint: tokens.id_token,
      post_logout_redirect_uri: known.home,
      state: "over",
    });
    const back = await browse(address);
    const attempt = await begin({ prompt: "none" });
    const silent = await browse(client.buildAuthorizationUrl(config, attempt.parameters));
    return { back: back.href, error: silent.searchParams.get("error") };
  },
};

tell({ done: await exercises[known.exercise]() });
process.exit(0);
