// Signs a person in and goes on in the person's name: code with PKCE, userinfo, refresh, introspection, revocation.
import * as openid from 'openid-client';

import { discovered } from './client.js';
import { hear, refusal, tell } from './talk.js';

const given = await hear();
const config = await discovered(given);
const checks = {
  pkceCodeVerifier: openid.randomPKCECodeVerifier(),
  expectedState: openid.randomState(),
  expectedNonce: openid.randomNonce(),
  idTokenExpected: true,
};
const address = openid.buildAuthorizationUrl(config, {
  redirect_uri: given.redirect_uri,
  scope: given.scope,
  code_challenge: await openid.calculatePKCECodeChallenge(checks.pkceCodeVerifier),
  code_challenge_method: 'S256',
  state: checks.expectedState,
  nonce: checks.expectedNonce,
});
tell({ authorize: address.href });

const back = new URL((await hear()).redirected);
const redeem = (url, more = {}) => openid.authorizationCodeGrant(config, url, { ...checks, ...more });
const suspicious = {
  of_another_issuer: await refusal(() => redeem(changed(back, 'iss', 'https://attacker.example'))),
  without_issuer: await refusal(() => redeem(changed(back, 'iss'))),
  of_another_state: await refusal(() => redeem(changed(back, 'state', 'another'))),
};
const tokens = await redeem(back);
const me = await openid.fetchUserInfo(config, tokens.access_token, tokens.claims().sub);
tell({ suspicious, tokens, claims: tokens.claims(), me });

await hear(); // the test calls the API with the token
const renewed = await openid.refreshTokenGrant(config, tokens.refresh_token);
const introspect = async (token) => (given.client.proof === 'none' ? {} : openid.tokenIntrospection(config, token));
tell({ renewed, introspected: await introspect(renewed.access_token) });

await openid.tokenRevocation(config, renewed.access_token);
const revoked = await introspect(renewed.access_token);
const again = await openid.refreshTokenGrant(config, renewed.refresh_token);
const reused = await refusal(() => openid.refreshTokenGrant(config, tokens.refresh_token));
const family = await refusal(() => openid.refreshTokenGrant(config, again.refresh_token));
tell({ revoked, reused, family, last: again.access_token });

function changed(url, name, value) {
  const other = new URL(url);
  value === undefined ? other.searchParams.delete(name) : other.searchParams.set(name, value);
  return other;
}
