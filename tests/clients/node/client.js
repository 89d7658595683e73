// A client of openid-client, as it finds the server and proves itself.
import * as openid from 'openid-client';

const PROOFS = {
  none: () => openid.None(),
  client_secret_basic: ({ secret }) => openid.ClientSecretBasic(secret),
  client_secret_post: ({ secret }) => openid.ClientSecretPost(secret),
  private_key_jwt: async ({ key }) => openid.PrivateKeyJwt({ key: await privateKey(key), kid: key.kid }),
};

/** `algorithm` says which document is read: "oidc" or "oauth2". Id tokens are held to the server's published keys. */
export async function discovered({ issuer, client, algorithm = 'oidc' }) {
  const proof = await PROOFS[client.proof](client);
  const execute = [openid.allowInsecureRequests, openid.enableNonRepudiationChecks];
  return openid.discovery(new URL(issuer), client.id, {}, proof, { algorithm, execute });
}

function privateKey(jwk) {
  const terms = { name: 'ECDSA', namedCurve: 'P-256' };
  return crypto.subtle.importKey('jwk', jwk, terms, false, ['sign']);
}
