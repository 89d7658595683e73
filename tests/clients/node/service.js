// Acts for itself: client credentials, introspection, revocation, and a JWT for its own resource server.
import * as oauth from 'oauth4webapi';
import * as openid from 'openid-client';

import { discovered } from './client.js';
import { hear, refusal, tell } from './talk.js';

const given = await hear();
const config = await discovered({ ...given, algorithm: 'oauth2' });
const token = await openid.clientCredentialsGrant(config, { scope: given.scope });
const introspected = await openid.tokenIntrospection(config, token.access_token);
await openid.tokenRevocation(config, token.access_token);
const revoked = await openid.tokenIntrospection(config, token.access_token);
const beyond = await refusal(() => openid.clientCredentialsGrant(config, { scope: 'tenants:open' }));
tell({ token, introspected, revoked, beyond });

if (given.resource) {
  const jwt = await openid.clientCredentialsGrant(config, { scope: given.scope, resource: given.resource });
  const request = new Request(given.resource, { headers: { Authorization: `Bearer ${jwt.access_token}` } });
  const judged = (audience) =>
    oauth.validateJwtAccessToken(config.serverMetadata(), request, audience, { [oauth.allowInsecureRequests]: true });
  tell({
    jwt,
    claims: await judged(given.resource),
    elsewhere: await refusal(() => judged('https://another.example')),
    unknown: await refusal(() => openid.clientCredentialsGrant(config, { resource: 'https://another.example' })),
  });
}
