// Asks @cloud-copilot/iam-simulate, in the node_modules folder that is given: a question file in, what it found as JSON out.
// Its core takes policies that were made ready; its public function takes documents and, with validation, checks all of it.

import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const [folder, path] = process.argv.slice(2);
const load = (name) => import(pathToFileURL(`${folder}/@cloud-copilot/${name}`).href);
const { loadPolicy } = await load("iam-policy/dist/esm/index.js");
const { anonymousPrincipal, runSimulation } = await load("iam-simulate/dist/esm/index.js");
const { authorize } = await load("iam-simulate/dist/esm/core_engine/CoreSimulatorEngine.js");
const { AwsRequestImpl } = await load("iam-simulate/dist/esm/request/request.js");
const { RequestContextImpl } = await load("iam-simulate/dist/esm/requestContext.js");
const { DiscoveryContextKeyConstraints } = await load(
  "iam-simulate/dist/esm/context_keys/discoveryContextKeyConstraints.js",
);

const WORDS = { Allowed: "allowed", ExplicitlyDenied: "explicitly_denied", ImplicitlyDenied: "implicitly_denied" };
const given = JSON.parse(readFileSync(path, "utf8"));
const named = (documents) => documents.map((policy, place) => ({ name: `p${place}`, policy }));
const ready = (documents) => documents.map((policy, place) => loadPolicy(policy, { name: `p${place}` }));
const levels = (sets, make) =>
  (sets ?? []).map((documents, place) => ({ orgIdentifier: `ou-${place}`, policies: make(documents) }));

/** What the core takes beside the request. */
function core(policies) {
  return {
    sessionPolicy: policies.session ? ready(policies.session)[0] : undefined,
    identityPolicies: ready(policies.identity ?? []),
    serviceControlPolicies: levels(policies.scps, ready),
    resourceControlPolicies: levels(policies.rcps, ready),
    resourcePolicy: policies.resource ? ready([policies.resource])[0] : undefined,
    permissionBoundaries: policies.boundary ? ready(policies.boundary) : undefined,
    vpcEndpointPolicies: policies.endpoint ? ready(policies.endpoint) : undefined,
    simulationParameters: {
      simulationMode: "Strict",
      discoveryContextKeyConstraints: new DiscoveryContextKeyConstraints([]),
    },
    serviceSettings: {},
  };
}

/** It wants RCPs that deny, and adds the one that allows everything itself. */
const denying = (documents) => named(documents.filter((one) => one.Statement.every(({ Effect }) => Effect === "Deny")));

/** What the public function takes beside the request. */
function whole(policies) {
  return {
    sessionPolicy: policies.session?.[0],
    identityPolicies: named(policies.identity ?? []),
    serviceControlPolicies: levels(policies.scps, named),
    resourceControlPolicies: levels(policies.rcps, denying),
    resourcePolicy: policies.resource ?? undefined,
    permissionBoundaryPolicies: policies.boundary ? named(policies.boundary) : undefined,
    vpcEndpointPolicies: policies.endpoint ? named(policies.endpoint) : undefined,
  };
}

function askCore(world, one, principal) {
  const context = new RequestContextImpl(one.context);
  const resource = { resource: one.resource, accountId: one.resource_account };
  const who = principal.arn === "*" ? anonymousPrincipal : principal.arn;
  const request = new AwsRequestImpl(who, resource, one.action, context);
  return WORDS[authorize({ ...world, request }).result];
}

async function askWhole(world, one, principal) {
  const resource = { resource: one.resource, accountId: one.resource_account };
  const request = { principal: principal.arn, action: one.action, resource, contextVariables: one.context };
  const found = await runSimulation({ ...world, request }, { simulationMode: "Strict" });
  if (found.resultType === "error") return `refuses: ${JSON.stringify(found.errors)}`.slice(0, 160);
  return WORDS[found.overallResult] ?? `answers ${found.overallResult}`;
}

/** The cheaper of CPU and wall time: neither helper threads nor a shared machine count against it. */
async function fastest(rounds, ask) {
  let best = Infinity;
  for (let round = 0; round < rounds; round += 1) {
    const began = performance.now();
    const cpu = process.cpuUsage();
    await ask();
    const used = process.cpuUsage(cpu);
    best = Math.min(best, performance.now() - began, (used.user + used.system) / 1000);
  }
  return best / 1000;
}

async function measured(requests) {
  const names = Object.keys(given.worlds);
  const cores = Object.fromEntries(names.map((name) => [name, core(given.worlds[name])]));
  const wholes = Object.fromEntries(names.map((name) => [name, whole(given.worlds[name])]));
  const answers = { core: [], validating: [] };
  const of = (one) => given.principals[one.principal];
  const seconds = await fastest(given.rounds, () => {
    answers.core = requests.map((one) => askCore(cores[one.world], one, of(one)));
  });
  const fewer = requests.slice(0, Math.max(1, Math.floor(requests.length / 20)));
  const slow = await fastest(given.rounds, async () => {
    answers.validating = [];
    for (const one of fewer) answers.validating.push(await askWhole(wholes[one.world], one, of(one)));
  });
  return { rates: { core: requests.length / seconds, validating: fewer.length / slow }, answers };
}

/** The answer to a case, or why there is none. */
function decided(line) {
  const { policies, principal } = line;
  if (principal.service_linked || principal.management_account || principal.arn.includes("/aws-service-role/"))
    return "leaves to the caller whom SCPs and RCPs concern";
  if ((policies.session ?? []).length > 1) return "takes one session policy";
  try {
    return askCore(core(policies), line, principal);
  } catch (error) {
    return `fails: ${error.message}`.slice(0, 160);
  }
}

const runs = {};
for (const [name, requests] of Object.entries(given.requests)) runs[name] = await measured(requests);
console.log(JSON.stringify({ runs, cases: given.cases.map(decided) }));
