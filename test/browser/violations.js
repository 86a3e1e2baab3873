// What the policy of this page or worker forbade. Imported first, so that it sees what later imports do.

const violations = [];
addEventListener('securitypolicyviolation', ({ blockedURI }) => violations.push(blockedURI));

/** All until now: they are reported by tasks, which get the time to run. */
export async function violationsUntilNow() {
  await new Promise((resolve) => setTimeout(resolve, 50));
  return violations;
}
