"use strict";

/* The example tabs, and a fetcher that gets single answers as JSON and subscriptions as server-sent events. */

const headers = JSON.stringify({ Authorization: "Bearer YOUR-ACCESS-TOKEN" }, null, 2);

const messages = [{ role: "USER", content: "How do I open a door without its key?" }];

const tabs = [
  {
    query: `# Put an access token into the Headers editor below, then press Ctrl-Enter.
query Start {
  viewer { clientId scopes tokenExpiresAt tenant { name } }
  defaultModels { type automatic reason model { provider name } }
  quotas { nodes { kind provider unit granted used free } }
}
`,
  },
  {
    query: `query Providers($type: ModelType) {
  providers(first: 20, type: $type) {
    nodes {
      name label kind configured keyPage
      form { name label kind required }
      models(first: 20) { nodes { name type status context } }
    }
    pageInfo { hasNextPage endCursor }
  }
}
`,
    variables: JSON.stringify({ type: "LLM" }, null, 2),
  },
  {
    query: `mutation AddCredential($input: AddCredentialInput!) {
  addCredential(input: $input) {
    ... on AddCredentialPayload { credential { id name endpoint fields { name value } } }
    ... on InvalidForm { problems { field reason } }
    ... on Problem { code message }
  }
}
`,
    variables: JSON.stringify(
      { input: { provider: "openai", name: "main", fields: [{ name: "openai_api_key", value: "sk-…" }] } },
      null,
      2,
    ),
  },
  {
    query: `mutation Chat($input: ChatInput!) {
  chat(input: $input) {
    ... on ChatPayload { text model { provider name } paidBy usage { input output } }
    ... on Problem { code message }
  }
}
`,
    variables: JSON.stringify({ input: { messages } }, null, 2),
  },
  {
    query: `subscription ChatStream($input: ChatInput!) {
  chatStream(input: $input) {
    __typename
    ... on TextDelta { text }
    ... on ChatFinished { finishReason usage { input output } }
    ... on Problem { code message }
  }
}
`,
    variables: JSON.stringify({ input: { messages } }, null, 2),
  },
].map((tab) => ({ ...tab, headers }));

async function* events(response) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let unread = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    unread += value;
    const blocks = unread.split(/\r?\n\r?\n/);
    unread = blocks.pop();
    for (const block of blocks) {
      const data = block.split(/\r?\n/).find((line) => line.startsWith("data: {"));
      if (data) yield JSON.parse(data.slice("data: ".length));
    }
  }
}

async function fetcher(asked, options) {
  const response = await fetch(window.location.pathname, {
    method: "POST",
    headers: {
      ...options?.headers,
      Accept: "application/graphql-response+json, application/json, text/event-stream",
      "Content-Type": "application/json",
    },
    body: JSON.stringify(asked),
  });
  const streamed = response.headers.get("Content-Type")?.startsWith("text/event-stream");
  return streamed ? events(response) : response.json();
}

ReactDOM.createRoot(document.getElementById("graphiql")).render(
  React.createElement(GraphiQL, {
    fetcher,
    defaultTabs: tabs,
    defaultHeaders: headers,
    defaultEditorToolsVisibility: "headers",
    isHeadersEditorEnabled: true,
    shouldPersistHeaders: false,
  }),
);
