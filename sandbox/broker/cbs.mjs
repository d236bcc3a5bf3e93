/** Claims-based security: every token is good, because the broker listens on loopback only. */
import rhea from 'rhea';

const { types } = rhea;

/** The answer to any put-token request. */
export function answerTokenRequest() {
  return { application_properties: { 'status-code': types.wrap_int(202), 'status-description': 'Accepted' }, body: '' };
}
