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
    "outdated-card": "This card is out of date or does not belong here. Nothing was decided; use the newest one.",
    "day-unclear": "The day was not understood. Nothing was decided; choose it again, or leave it empty.",
    "not-asked": "You are neither an owner of this nor in the group that may accept its risk. Nothing was decided.",
    "approver-is-owner": "You own this, so somebody else of the security team has to accept the risk.",
    "owners-unknown": "Entra did not say who owns this, so nobody can accept the risk now. It can be retired.",
    "acceptance-too-long": "That is longer than this may be kept. Choose an earlier day, or leave it empty.",
    "acceptance-without-time": "That day has begun already. Choose a later day, or leave it empty.",
    "nothing-proposed": "Nobody wishes to keep this at the moment, so there is nothing to accept or refuse.",
    "nothing-to-shrink": "All of its access at the gateway is in use, so nothing can be taken away.",
    "used-since": "The access has been used since the report, so it was not taken away.",
    "still-in-use": "Somebody is using this access at this moment, so it was not taken away. End the session first.",
    "opens-more": "It opens more than the card shows, so it was not taken away. Wait for the next report, or do it "
    "at the gateway.",
    "last-admin-kept": "This is the last administrator of the gateway, so nothing was taken away.",
    "break-glass-kept": "This identity is kept for emergencies, so nothing was taken away.",
    "own-identity-kept": "This is the identity that Tether itself uses, so nothing was taken away.",
    "administers": "The group administers the gateway, so it is not taken away from here.",
    "removal-would-skip-approval": "Without this group the gateway would no longer ask for an approval. Remove it in "
    "Entra, and change the rule first.",
    "access-control-is-off": "The gateway does not check groups at present, so taking one away would change nothing.",
    "asked": "Your answer is recorded. The question waits for an owner again.",
    "proposed": "Your wish to keep it is recorded. Somebody of the security team has to accept it.",
    "kept": "It is kept for now, and will be asked about again.",
    "shrunk": "The unused access is gone at the gateway. Make it last in Entra: the owner's card has the calls.",
    "retiring": "It is marked to be retired. The card in the security channel shows the calls, in their order.",
    "settled": "There is nothing left to answer.",
}
_OTHERWISE = "Something went wrong and nothing was decided. Please decide at the gateway, and tell whoever runs Tether."
REASONS = frozenset(_SENTENCES)


def sentence(reason: str, *, given: int = 0, needed: int = 0) -> str:
    """What a person is told for a reason; an unknown one gets an apology. `given` of `needed` approvals are there."""
    told = _SENTENCES.get(reason, _OTHERWISE)
    if reason == "recorded" and needed:
        return f"{told} {min(given, needed)} of {needed} needed are there; the card shows who is asked."
    return told
