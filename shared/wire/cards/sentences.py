"""Sentences: what a person is told after a click, with the next step."""

_SENTENCES = {
    "own-request": "This is your own request, or that of an agent you answer for. Somebody else has to approve it.",
    "not-an-approver": "You are not in a group that may answer this. Ask one of the reviewer groups on the card.",
    "approver-disabled": "Your account is not enabled in Entra, so your answer does not count. Ask your administrator.",
    "voted-already": "Your approval is already recorded. Another person has to give the next one.",
    "group-answered": "Your group has approved already. Now somebody of another reviewer group has to answer.",
    "reason-missing": "Please write a reason into the field on the card, then click again.",
    "requester-unknown": "Entra does not know who asks, so nobody can approve this. Deny it, or have them linked.",
    "requester-shut": "Whoever asks is no longer enabled in Entra, so nobody can approve this. It can be denied.",
    "input-changed": "The command has changed since this card was made. Nothing was decided; wait for the new card.",
    "review-stuck": "No vote can decide this any more. Deny it, or ask somebody who may use break-glass.",
    "not-break-glass": "You may not use break-glass. Ask the reviewer groups, or somebody in the break-glass group.",
    "forged-token": "This card does not belong here. Nothing was decided; use the original card.",
    "expired-token": "This card is too old. Nothing was decided; the requester may ask again.",
    "already-decided": "This is already decided. The card shows how.",
    "gateway-down": "The gateway does not answer; nothing was decided. The buttons stay; try again.",
    "try-again": "That did not work just now. Nothing is lost; please try again in a moment.",
    "unknown-card": "Tether does not know this card. Nothing was decided; look at the request at the gateway.",
    "reviewer-key-wrong": "The gateway does not accept Tether's key for this reviewer group. Decide at the gateway, "
    "and tell whoever runs Tether.",
    "no-key": "Tether has no key for this reviewer group. Decide at the gateway, and tell whoever runs Tether.",
    "sign-in-refused": "The sign-in did not succeed, so nothing was decided. Please try again.",
    "consent-needed": "Tether needs your consent to answer on your behalf. Sign in when asked, then click again.",
    "recorded": "Your approval is recorded.",
    "done": "Thank you. Your access has ended.",
    "still-working": "This takes longer than usual. The card will show the outcome; if it does not, click again.",
    "not-yours": "Only whoever asked, or the people behind the agent, can end this access.",
    "nothing-to-end": "There is nothing to end: this access is over already.",
}
_OTHERWISE = "Something went wrong and nothing was decided. Please decide at the gateway, and tell whoever runs Tether."
REASONS = frozenset(_SENTENCES)


def sentence(reason: str, *, given: int = 0, needed: int = 0) -> str:
    """What a person is told for a reason; an unknown one gets an apology. `given` of `needed` approvals are there."""
    told = _SENTENCES.get(reason, _OTHERWISE)
    if reason == "recorded" and needed:
        return f"{told} {min(given, needed)} of {needed} needed are there; the card shows who is asked."
    return told
