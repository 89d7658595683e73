// A command line that lets a person type its code elsewhere.
import * as openid from 'openid-client';

import { discovered } from './client.js';
import { hear, refusal, tell } from './talk.js';

const given = await hear();
const config = await discovered(given);
const device = await openid.initiateDeviceAuthorization(config, { scope: given.scope });
const grant = 'urn:ietf:params:oauth:grant-type:device_code';
const poll = () => openid.genericGrantRequest(config, grant, { device_code: device.device_code });
tell({ device, pending: await refusal(poll), hasty: await refusal(poll) });

const { answered } = await hear();
if (answered === 'allow') {
  tell({ tokens: await openid.pollDeviceAuthorizationGrant(config, device), again: await refusal(poll) });
} else {
  tell({ refused: await refusal(() => openid.pollDeviceAuthorizationGrant(config, device)) });
}
