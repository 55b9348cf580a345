/// All of them, in the order in which they are run.
package let harnesses: [any Harness] = [
  ModelHarness(), SimulationHarness(), CrashPointHarness(), LogLinkHarness(), DamageHarness(), IOSweepHarness(),
  ConditionHarness(),
  KillHarness(),
  PowerCutHarness(),
  PlantedHarness(),
  FuzzHarness(),
  SanitizerHarness(),
]
