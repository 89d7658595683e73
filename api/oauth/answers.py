"""What every endpoint of the authorization server says in the same words: JSON that no cache keeps."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from authlib.oauth2.rfc6749.errors import OAuth2Error
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from api.oauth.form import Refused
from domain.errors import Unauthenticated

NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}
CHALLENGE = 'Basic realm="portunus", charset="UTF-8"'
UNPROVEN = "The client is unknown or not active, or its proof is wrong or missing."
"""One refusal, so that nobody can tell these apart."""

Endpoint = Callable[[Request], Awaitable[Response]]


def answer(body: Mapping[str, Any], status: int = 200, **headers: str) -> JSONResponse:
    return JSONResponse(body, status, {**NO_STORE, **headers})


def error(code: str, description: str, status: int = 400, **headers: str) -> JSONResponse:
    return answer({"error": code, "error_description": description}, status, **headers)


def to_clients(endpoint: Endpoint) -> Endpoint:
    """An endpoint that clients prove themselves to: what is wrong is told as RFC 6749, section 5.2, has it."""

    async def answered(request: Request) -> Response:
        try:
            return await endpoint(request)
        except Refused as refusal:
            return error(refusal.error, refusal.description, refusal.status)
        except OAuth2Error as problem:
            return error(problem.error, problem.get_error_description())
        except Unauthenticated:
            return error("invalid_client", UNPROVEN, 401, **{"WWW-Authenticate": CHALLENGE})

    return answered
