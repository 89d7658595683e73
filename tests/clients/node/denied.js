// Asks for a person, and is told why there is none: the test has the person deny, or asks for too much.
import * as openid from 'openid-client';

import { discovered } from './client.js';
import { hear, refusal, tell } from './talk.js';

const given = await hear();
const config = await discovered(given);
const checks = { pkceCodeVerifier: openid.randomPKCECodeVerifier(), expectedState: openid.randomState() };
const address = openid.buildAuthorizationUrl(config, {
  redirect_uri: given.redirect_uri,
  scope: given.scope,
  code_challenge: await openid.calculatePKCECodeChallenge(checks.pkceCodeVerifier),
  code_challenge_method: 'S256',
  state: checks.expectedState,
  ...given.more,
});
tell({ authorize: address.href });

const back = new URL((await hear()).redirected);
tell({ refused: await refusal(() => openid.authorizationCodeGrant(config, back, checks)) });
