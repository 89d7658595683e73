"""The GraphQL documents of the demo, as an application would write them."""

ADD_CREDENTIAL = """
mutation AddCredential($input: AddCredentialInput!) {
  addCredential(input: $input) {
    ... on AddCredentialPayload { credential { id name endpoint fields { name value } } }
    ... on Problem { code message }
  }
}"""

SET_DEFAULT = """
mutation SetDefault($input: SetDefaultModelInput!) {
  setDefaultModel(input: $input) { __typename ... on Problem { code message } }
}"""

DEFAULTS = "{ defaultModels { type automatic reason model { provider name } } }"

CHAT = """
mutation Chat($input: ChatInput!) {
  chat(input: $input) {
    ... on ChatPayload { text paidBy model { name } usage { input output } }
    ... on Problem { code message }
  }
}"""

STREAM = """
subscription Stream($input: ChatInput!) {
  chatStream(input: $input) { __typename ... on TextDelta { text } ... on Problem { code message } }
}"""

EMBED = """
mutation Embed($input: EmbedInput!) {
  embed(input: $input) { ... on EmbedPayload { vectors } ... on Problem { code message } }
}"""

PLAN = """
query Plan($input: PlanCallInput!) {
  planCall(input: $input) {
    ... on PlannedCall { paidBy holds { amount unit free } candidates { paidBy credential { name } } }
    ... on Problem { code message }
  }
}"""

USAGE = """
{
  usage(by: [MODEL, CREDENTIAL]) {
    nodes { model { name } paidBy calls inputTokens outputTokens cost { amount currency } }
  }
}"""

PREFER = """
mutation Prefer($input: SetPreferredSourceInput!) {
  setPreferredSource(input: $input) { __typename ... on Problem { code message } }
}"""

QUOTAS = "{ quotas { nodes { kind unit granted used free } } }"

LOOK = """
query Look($id: ID!) {
  node(id: $id) { id }
  credentials { nodes { id } }
  quotas { nodes { granted used } }
}"""

INVITE = """
mutation Invite($input: InviteMemberInput!) {
  inviteMember(input: $input) { ... on InviteMemberPayload { link } ... on Problem { code message } }
}"""

REGISTER = """
mutation Register($input: RegisterApplicationInput!) {
  registerApplication(input: $input) {
    ... on RegisterApplicationPayload { application { id clientId } clientSecret }
    ... on Problem { code message }
  }
}"""

REVOKE = """
mutation Revoke($input: RevokeConsentInput!) {
  revokeConsent(input: $input) { __typename ... on Problem { code message } }
}"""
