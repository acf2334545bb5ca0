// oidc-provider, in memory, with clients and algorithms like ours. Runs in tests/js, where its package lies.
// The one argument is {"port", "redirect_uri", "secret"}. The first line is {"listening": port}; it ends with its input.

import { generateKeyPairSync } from "node:crypto";
import { createServer } from "node:http";
import { Provider } from "oidc-provider";

const { port, redirect_uri, secret } = JSON.parse(process.argv[1]);
const issuer = `http://localhost:${port}`;
const resource = "urn:bench";
const scope = "openid profile email offline_access";

const key = (alg, type, options) => ({
  ...generateKeyPairSync(type, options).privateKey.export({ format: "jwk" }),
  alg,
  use: "sig",
  kid: alg,
});

const web = (client_id, id_token_signed_response_alg) => ({
  client_id,
  client_secret: secret,
  redirect_uris: [redirect_uri],
  grant_types: ["authorization_code", "refresh_token"],
  id_token_signed_response_alg,
});

const service = (client_id) => ({
  client_id,
  client_secret: secret,
  redirect_uris: [],
  response_types: [],
  grant_types: ["client_credentials"],
});

// The adapter that comes with it forgets the sessions of its people after a thousand entries of any kind. This one keeps
// sessions and grants, and of everything else the latest; it does less for each entry, which is in the peer's favour.
const LATEST = 20_000;
const byUid = new Map();

class Memory {
  constructor(model) {
    this.entries = new Map();
    this.forgets = !["Session", "Grant"].includes(model);
  }

  async upsert(id, payload) {
    this.entries.set(id, payload);
    if (payload.uid) byUid.set(payload.uid, payload);
    if (this.forgets && this.entries.size > LATEST) this.entries.delete(this.entries.keys().next().value);
  }

  async find(id) {
    return this.entries.get(id);
  }

  async findByUid(uid) {
    return byUid.get(uid);
  }

  async consume(id) {
    this.entries.get(id).consumed = Math.floor(Date.now() / 1000);
  }

  async destroy(id) {
    this.entries.delete(id);
  }

  async revokeByGrantId(grantId) {
    for (const [id, payload] of this.entries) if (payload.grantId === grantId) this.entries.delete(id);
  }
}

const takesJwt = (client) => client.clientId.endsWith("-jwt");

const provider = new Provider(issuer, {
  adapter: Memory,
  clients: [
    web("web-es256-jwt", "ES256"),
    web("web-rs256-jwt", "RS256"),
    web("web-opaque", "ES256"),
    service("service-jwt"),
    service("service-opaque"),
  ],
  jwks: {
    keys: [key("ES256", "ec", { namedCurve: "P-256" }), key("RS256", "rsa", { modulusLength: 2048 })],
  },
  cookies: { keys: ["a key that signs the cookies of a benchmark"] },
  scopes: scope.split(" "),
  claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["name", "preferred_username"] },
  features: {
    clientCredentials: { enabled: true },
    devInteractions: { enabled: true },
    introspection: { enabled: true, allowedPolicy: () => true },
    registration: { enabled: true },
    resourceIndicators: {
      enabled: true,
      defaultResource: (_ctx, client) => (takesJwt(client) ? resource : undefined),
      useGrantedResource: (_ctx, model) => model.clientId.endsWith("-jwt"),
      getResourceServerInfo: () => ({
        scope,
        audience: resource,
        accessTokenTTL: 3600,
        accessTokenFormat: "jwt",
        jwt: { sign: { alg: "ES256" } },
      }),
    },
  },
  ttl: { AccessToken: 3600, ClientCredentials: 3600, RefreshToken: 86400, Session: 86400, Grant: 86400 },
  findAccount: (_ctx, id) => ({
    accountId: id,
    claims: () => ({
      sub: id,
      email: `${id}@example.com`,
      email_verified: true,
      name: `Name of ${id}`,
      preferred_username: id,
    }),
  }),
  issueRefreshToken: (_ctx, client) => client.grantTypeAllowed("refresh_token"),
  rotateRefreshToken: true,
  pkce: { required: () => true },
  // Nobody is asked for a permission, as with our clients that skip it.
  loadExistingGrant: async (ctx) => {
    const { session, client } = ctx.oidc;
    const known = session.grantIdFor(client.clientId);
    if (known) return provider.Grant.find(known);
    const grant = new provider.Grant({ clientId: client.clientId, accountId: session.accountId });
    grant.addOIDCScope(scope);
    grant.addResourceScope(resource, scope);
    await grant.save();
    return grant;
  },
});

createServer(provider.callback()).listen(port, "127.0.0.1", () => {
  process.stdout.write(`${JSON.stringify({ listening: port })}\n`);
});
process.stdin.on("end", () => process.exit(0)).resume();
