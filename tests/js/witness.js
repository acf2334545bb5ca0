// openid-client as an independent witness. One argument, in JSON; prints JSON.
// Without `callback`: where to send the browser. With it: all that an application does afterwards.

import * as client from "openid-client";

const known = JSON.parse(process.argv[2]);

const config = await client.discovery(
  new URL(known.issuer),
  known.client_id,
  undefined,
  client.ClientSecretBasic(known.client_secret),
  { execute: [client.allowInsecureRequests] },
);

const begin = async () => {
  const attempt = {
    verifier: client.randomPKCECodeVerifier(),
    state: client.randomState(),
    nonce: client.randomNonce(),
  };
  const url = client.buildAuthorizationUrl(config, {
    redirect_uri: known.redirect_uri,
    scope: known.scope,
    code_challenge: await client.calculatePKCECodeChallenge(attempt.verifier),
    code_challenge_method: "S256",
    state: attempt.state,
    nonce: attempt.nonce,
  });
  return { ...attempt, url: url.href };
};

const finish = async () => {
  const tokens = await client.authorizationCodeGrant(config, new URL(known.callback), {
    pkceCodeVerifier: known.verifier,
    expectedState: known.state,
    expectedNonce: known.nonce,
    idTokenExpected: true,
  });
  const refreshed = await client.refreshTokenGrant(config, tokens.refresh_token);
  const userinfo = await client.fetchUserInfo(config, refreshed.access_token, tokens.claims().sub);
  const introspected = await client.tokenIntrospection(config, refreshed.access_token);
  await client.tokenRevocation(config, refreshed.refresh_token);
  const afterwards = await client.tokenIntrospection(config, refreshed.access_token);
  const refusal = await client
    .refreshTokenGrant(config, refreshed.refresh_token)
    .then(() => null, (error) => error.error);
  return {
    id_token: tokens.id_token,
    access_token: tokens.access_token,
    claims: tokens.claims(),
    refreshed_claims: refreshed.claims(),
    rotated: refreshed.refresh_token !== tokens.refresh_token,
    userinfo,
    introspected,
    afterwards,
    refusal,
  };
};

console.log(JSON.stringify(known.callback ? await finish() : await begin()));
