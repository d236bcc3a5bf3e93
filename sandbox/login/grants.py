"""The two grants that Tether uses: as the bot, and on behalf of somebody who clicked."""

from collections.abc import Mapping
from typing import Any

import jwt

from sandbox.login.refusals import (
    RefusalError,
    consent_missing,
    interaction_required,
    invalid_client,
    invalid_grant,
    invalid_request,
)
from sandbox.login.state import LoginState
from sandbox.login.user_tokens import AUDIENCES
from sandbox.tenant import BOT_APP_ID, GATEWAY_CLIENT_ID, TETHER_OBJECT_ID
from sandbox.tokens import issue_token, read_token

Json = dict[str, Any]
Form = Mapping[str, str]
BOT_OBJECT_ID = "7e7e0000-0000-4000-8000-0000000000b1"
BOT_FRAMEWORK = "https://api.botframework.com"
EXCHANGE_AUDIENCE = "api://AzureADTokenExchange"
CLIENT_CREDENTIALS = "client_credentials"
JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_LIFETIME_SECONDS = 3599


def grant(state: LoginState, form: Form, issuer: str) -> Json:
    """What the token endpoint answers to this form; raises `RefusalError`."""
    kind = _required(form, "grant_type")
    _authenticate_bot(form)
    if kind == CLIENT_CREDENTIALS:
        return _for_the_bot(form)
    if kind == JWT_BEARER:
        return _on_behalf_of(state, form, issuer)
    raise RefusalError("unsupported_grant_type", 70003, f"The app requested an unsupported grant type '{kind}'.")


def _authenticate_bot(form: Form) -> None:
    """The bot is whoever holds a token of Tether's managed identity: its federated credential says so."""
    client_id = _required(form, "client_id")
    if client_id != BOT_APP_ID:
        sentence = f"Application with identifier '{client_id}' was not found in the directory."
        raise RefusalError("unauthorized_client", 700016, sentence)
    assertion = form.get("client_assertion", "")
    if form.get("client_assertion_type") != _ASSERTION_TYPE or not assertion:
        sentence = "The request body must contain the following parameter: 'client_assertion' or 'client_secret'."
        raise invalid_client(7000218, sentence)
    try:
        claims = read_token(assertion, audience=EXCHANGE_AUDIENCE)
    except jwt.ExpiredSignatureError:
        raise invalid_client(700024, "Client assertion is not within its valid time range.") from None
    except jwt.InvalidAudienceError:
        sentence = "No matching federated identity record found for presented assertion audience."
        raise invalid_client(700212, sentence) from None
    except jwt.InvalidTokenError:
        raise invalid_client(700027, "Client assertion failed signature validation.") from None
    if claims["sub"] != TETHER_OBJECT_ID:
        subject = claims["sub"]
        sentence = f"No matching federated identity record found for presented assertion subject '{subject}'."
        raise invalid_client(700213, sentence)


def _for_the_bot(form: Form) -> Json:
    _check_scope(form, {f"{BOT_FRAMEWORK}/.default"})
    return _answer(issue_token(audience=BOT_FRAMEWORK, object_id=BOT_OBJECT_ID))


def _on_behalf_of(state: LoginState, form: Form, issuer: str) -> Json:
    if form.get("requested_token_use") != "on_behalf_of":
        raise invalid_request("requested_token_use")
    _check_scope(form, {f"{GATEWAY_CLIENT_ID}/.default", f"api://{GATEWAY_CLIENT_ID}/.default"})
    claims = _user_claims(state, _required(form, "assertion"), issuer)
    person = state.people.find(claims.get("oid", ""))
    if person is None:
        raise invalid_grant(50034, "The user account does not exist in the directory.")
    if state.switches.values["consentMissing"]:
        raise consent_missing()
    if state.switches.values["interactionRequired"]:
        raise interaction_required()
    token = issue_token(audience=GATEWAY_CLIENT_ID, object_id=person.subject)
    return _answer(token) | {"scope": form["scope"]}


def _user_claims(state: LoginState, assertion: str, issuer: str) -> Json:
    try:
        return state.keys.read(assertion, audience=AUDIENCES, issuer=issuer)
    except jwt.ExpiredSignatureError:
        raise invalid_grant(500133, "Assertion is not within its valid time range.") from None
    except jwt.InvalidAudienceError:
        sentence = "Assertion audience does not match the Client app presenting the assertion."
        raise invalid_grant(500131, sentence) from None
    except jwt.InvalidTokenError:
        raise invalid_grant(50013, "Assertion failed signature validation.") from None


def _check_scope(form: Form, accepted: set[str]) -> None:
    scope = _required(form, "scope")
    # The client library asks for the reserved ones on its own; they mean nothing here.
    wanted = set(scope.split()) - {"openid", "profile", "offline_access"}
    if not wanted or not wanted <= accepted:
        sentence = f"The provided value for the input parameter 'scope' is not valid. The scope {scope} is not valid."
        raise RefusalError("invalid_scope", 70011, sentence)


def _answer(token: str) -> Json:
    return {
        "token_type": "Bearer",
        "expires_in": _LIFETIME_SECONDS,
        "ext_expires_in": _LIFETIME_SECONDS,
        "access_token": token,
    }


def _required(form: Form, parameter: str) -> str:
    value = form.get(parameter, "")
    if not value:
        raise invalid_request(parameter)
    return value
