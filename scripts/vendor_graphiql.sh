#!/usr/bin/env bash
# Puts GraphiQL and what it stands on into api/graphql/static, minified, with their licences. Needs npm.
set -euo pipefail
here="$(cd "$(dirname "$0")/.." && pwd)/api/graphql/static"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT

take() { # package version directory file…
  local package="$1" version="$2" directory="$3"
  shift 3
  (cd "$work" && npm pack --silent "$package@$version" >/dev/null && tar xzf "$package-$version.tgz")
  for file in "$@"; do
    sed '/^[/][/*][#@] sourceMappingURL=/d' "$work/package/$directory/$file" >"$here/$file"
  done
  cp "$work/package/LICENSE" "$here/$package.LICENSE"
  rm -r "$work/package"
}

take react 18.3.1 umd react.production.min.js
take react-dom 18.3.1 umd react-dom.production.min.js
take graphiql 3.8.3 . graphiql.min.js graphiql.min.css
