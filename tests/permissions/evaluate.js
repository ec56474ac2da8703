// Reads one simulation of @cloud-copilot/iam-simulate a line, answers one line for each, until its input ends.
import { createInterface } from 'node:readline'
import { runSimulation } from '@cloud-copilot/iam-simulate'

const named = (statements) => (statements ?? []).map((found) => `${found.policyId}#${found.explain.identifier}`)

const denials = (analysis) => [
  ...named(analysis.identityAnalysis?.denyStatements),
  ...named(analysis.permissionBoundaryAnalysis?.denyStatements),
  ...named(analysis.resourceAnalysis?.denyStatements),
  ...(analysis.scpAnalysis?.ouAnalysis ?? []).flatMap((unit) => named(unit.denyStatements)),
]

async function answer(simulation) {
  const response = await runSimulation(simulation, {})
  if (response.resultType === 'error') return { error: response.errors }
  const results = response.resultType === 'single' ? [response.result] : response.results
  return {
    result: response.overallResult,
    patterns: results.map((one) => one.resourcePattern ?? null),
    blockedBy: [...new Set(results.flatMap((one) => one.analysis.blockedBy ?? []))],
    denials: [...new Set(results.flatMap((one) => denials(one.analysis)))],
    ignored: [...new Set(results.flatMap((one) => one.ignoredContextKeys ?? []))],
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  const said = await answer(JSON.parse(line)).catch((error) => ({ error: { message: String(error) } }))
  process.stdout.write(JSON.stringify(said) + '\n')
}
