// oidc-provider as another provider, with a person who is signed in by their name alone.
// The one argument says who may sign people in with it. The first line is {"listening": port}; it ends with its input.

import { Provider } from "oidc-provider";

const known = JSON.parse(process.argv[2]);

const configuration = {
  clients: [
    {
      client_id: known.client_id,
      client_secret: known.client_secret,
      redirect_uris: [known.redirect_uri],
    },
  ],
  claims: {
    openid: ["sub"],
    email: ["email", "email_verified"],
    profile: ["name", "preferred_username"],
  },
  features: { devInteractions: { enabled: true } },
  findAccount: (_ctx, id) => ({
    accountId: id,
    claims: () => ({
      sub: id,
      email: `${id}@there.example`,
      email_verified: true,
      name: "Ada There",
      preferred_username: id,
    }),
  }),
  pkce: { required: () => true },
};

let provider;
const { createServer } = await import("node:http");
const server = createServer((request, response) => provider.callback()(request, response));
server.listen(0, "127.0.0.1", () => {
  const { port } = server.address();
  provider = new Provider(`http://127.0.0.1:${port}`, configuration);
  process.stdout.write(`${JSON.stringify({ listening: port })}\n`);
});
process.stdin.on("end", () => process.exit(0)).resume();
