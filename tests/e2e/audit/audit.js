// Audits a GraphQL server over HTTP: node audit.js URL TOKEN prints one JSON object per audit.
import { auditServer } from "graphql-http";

const [url, token] = process.argv.slice(2);
const fetchFn = (input, init = {}) =>
  fetch(input, { ...init, headers: { ...init.headers, authorization: `Bearer ${token}` } });

for (const { id, name, status, reason } of await auditServer({ url, fetchFn }))
  console.log(JSON.stringify({ id, name, status, reason }));
