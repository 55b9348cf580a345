package import ArgumentParser
package import Issuance
package import ServiceKit

/// The retry policy of failed events if their campaign has none: shared by every program that makes coupons.
package struct RetryOptions: ParsableArguments {
  package static let base = Setting<Duration>(
    "retry-base", "the longest wait before the second attempt at a failed event; it doubles with each", wait,
    default: RetryPolicy.standard.base)
  package static let cap = Setting<Duration>(
    "retry-cap", "the longest wait between two attempts", wait, default: RetryPolicy.standard.cap)
  package static let maxAttempts = Setting<Int>(
    "max-attempts", "how many counted attempts a failed event has before it is dead", .integer(1...1_000, "attempts"),
    default: RetryPolicy.standard.maxAttempts)

  package static let maxLapses = Setting<Int>(
    "max-lapses", "how many workers may die while they handle one event alone before it is dead",
    .integer(1...100, "lapses"), default: RetryPolicy.standardMaxLapses)

  package static let settings: [any SettingDeclaration] = [base, cap, maxAttempts, maxLapses]

  private static let wait = SettingType<Duration>.duration(.milliseconds(1) ... .seconds(86_400))

  @Option(RetryOptions.base)
  package var retryBase: String?
  @Option(RetryOptions.cap)
  package var retryCap: String?
  @Option(RetryOptions.maxAttempts)
  package var maximumAttempts: String?
  @Option(RetryOptions.maxLapses)
  package var maximumLapses: String?

  package init() {}

  /// The policy from the environment, for a command without these options.
  ///
  /// - Throws: as ``policy()``.
  package static func environmentPolicy() throws -> RetryPolicy { try policy(flags: (nil, nil, nil, nil)) }

  /// - Throws: ``SettingsRefused``; ``CLIError`` with exit code 78 if the cap is below the base.
  package func policy() throws -> RetryPolicy {
    try Self.policy(flags: (retryBase, retryCap, maximumAttempts, maximumLapses))
  }

  private static func policy(
    flags: (base: String?, cap: String?, maxAttempts: String?, maxLapses: String?)
  ) throws -> RetryPolicy {
    try RetryPolicy(
      base: try base.value(flag: flags.base), cap: try cap.value(flag: flags.cap),
      maxAttempts: try maxAttempts.value(flag: flags.maxAttempts),
      maxLapses: try maxLapses.value(flag: flags.maxLapses)
    ).checked()
  }
}

extension RetryPolicy {
  /// - Throws: ``CLIError`` with exit code 78 if the cap is below the base.
  package func checked() throws(CLIError) -> RetryPolicy {
    guard cap >= base else {
      throw CLIError(
        .configuration, "cannot use the settings of retries",
        reason: "\(RetryOptions.cap.flag) \(cap.settingText) is below \(RetryOptions.base.flag) \(base.settingText)",
        hint: "make the cap at least the base")
    }
    return self
  }
}
