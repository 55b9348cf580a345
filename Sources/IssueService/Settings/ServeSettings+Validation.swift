internal import Composition
internal import Foundation
internal import ServiceKit

extension ServeSettings {
  /// What is wrong with the settings, and what will not do what it seems to.
  struct Validation: Sendable {
    var problems: [SettingProblem] = []
    var warnings: [String] = []

    /// - Parameter keys: what it is about; it is left out where one of them has a bad value, which says enough.
    mutating func refuse(
      _ keys: [String], _ what: String, why: String, next: String, status: ProgramExit = .configuration
    ) {
      problems.append(SettingProblem(keys, CLIError(status, what, reason: why, hint: next)))
    }

    mutating func warn(_ warning: String) { warnings.append(warning) }
  }

  /// The checks across settings. `serve` makes them before it opens anything, `config check` shows what they find.
  static let checks: [@Sendable (SettingsResolution, inout Validation) -> Void] = [
    databaseIsNamed, listenersAreReachedByTheRight, usersAreKnown, filesCanBeRead, limitsAgree, connectionsFit,
    backlogFits, retriesAgree,
  ]

  /// All that is wrong, the single values first. Where a file could not be read, nothing across settings is known.
  static func validation(of resolution: SettingsResolution) -> Validation {
    let refused = Set(resolution.problems.flatMap(\.keys))
    guard !refused.contains(SettingsResolution.file.key) else {
      return Validation(problems: resolution.problems, warnings: resolution.warnings)
    }
    var findings = Validation()
    for check in checks { check(resolution, &findings) }
    let problems = findings.problems.filter { refused.isDisjoint(with: $0.keys) }
    return Validation(problems: resolution.problems + problems, warnings: resolution.warnings + findings.warnings)
  }

  private static func databaseIsNamed(_ given: SettingsResolution, _ validation: inout Validation) {
    guard given[ServeCatalogue.database] == nil else { return }
    validation.problems.append(SettingProblem([ServeCatalogue.database.key], DatabaseOption.notNamed))
  }

  private static func listenersAreReachedByTheRight(_ given: SettingsResolution, _ validation: inout Validation) {
    let listen = given[ServeCatalogue.listen]
    let operations = given[ServeCatalogue.opsListen]
    if !operations.isLoopback {
      validation.refuse(
        [ServeCatalogue.opsListen.key], "cannot listen on '\(operations)' for operations",
        why: "it is no loopback address, and whoever reaches that listener is asked for nothing",
        next: "for example: \(ServeCatalogue.opsListen.flag) 127.0.0.1:8081")
    }
    if listen == operations, !listen.isAnyFreePort {
      validation.refuse(
        [ServeCatalogue.listen.key, ServeCatalogue.opsListen.key], "cannot listen on '\(listen)' twice",
        why: "\(ServeCatalogue.listen.flag) and \(ServeCatalogue.opsListen.flag) are the same",
        next: "change one of them")
    }
  }

  private static func usersAreKnown(_ given: SettingsResolution, _ validation: inout Validation) {
    do {
      _ = try given.identityChoice()
    } catch {
      let settings: [any SettingDeclaration] = [
        ServeCatalogue.listen, ServeCatalogue.identity, ServeCatalogue.trustedProxies, ServeCatalogue.jwtSecretFile,
        ServeCatalogue.jwtKeySetFile, ServeCatalogue.jwtIssuer, ServeCatalogue.jwtAudience, ServeCatalogue.jwtLeeway,
      ]
      validation.problems.append(SettingProblem(settings.map(\.key), error))
    }
  }

  private static func filesCanBeRead(_ given: SettingsResolution, _ validation: inout Validation) {
    for setting in [
      ServeCatalogue.jwtSecretFile, ServeCatalogue.jwtKeySetFile, ServeCatalogue.logKeyFile, WebhookOptions.keyFile,
      WebhookOptions.authorityFile,
    ] {
      guard let path = given[setting], let why = whyUnreadable(path) else { continue }
      validation.refuse(
        [setting.key], "cannot use the \(setting.key) '\(path)'", why: why,
        next: "check the path and the mode of the file")
    }
  }

  private static func whyUnreadable(_ path: String) -> String? {
    guard FileManager.default.fileExists(atPath: path) else { return "the file does not exist" }
    let url = URL(fileURLWithPath: path).resolvingSymlinksInPath()
    let type = try? FileManager.default.attributesOfItem(atPath: url.path)[.type] as? FileAttributeType
    guard type == .typeRegular else { return "it is not a regular file" }
    return FileManager.default.isReadableFile(atPath: path) ? nil : "the system refuses to read it"
  }

  private static func limitsAgree(_ given: SettingsResolution, _ validation: inout Validation) {
    let rate = given[ServeCatalogue.requestsPerNetwork]
    if rate == 0, given.isGiven(ServeCatalogue.networkBurst) {
      validation.refuse(
        [ServeCatalogue.requestsPerNetwork.key, ServeCatalogue.networkBurst.key], "cannot limit source networks",
        why: "\(ServeCatalogue.networkBurst.key) is given, but \(ServeCatalogue.requestsPerNetwork.key) is 0: no limit",
        next: "give \(ServeCatalogue.requestsPerNetwork.key) too, or leave both out")
    }
    let perUser = given[ServeCatalogue.claimsPerUser]
    let claims = given[ServeCatalogue.claimsInHand]
    if perUser > claims {
      validation.refuse(
        [ServeCatalogue.claimsPerUser.key, ServeCatalogue.claimsInHand.key], "cannot limit the claims in hand",
        why:
          "\(ServeCatalogue.claimsPerUser.key) is \(perUser), more than \(ServeCatalogue.claimsInHand.key): \(claims)",
        next: "lower the one or raise the other")
    }
  }

  private static func retriesAgree(_ given: SettingsResolution, _ validation: inout Validation) {
    do throws(CLIError) {
      _ = try given.retryPolicy.checked()
    } catch {
      validation.problems.append(SettingProblem([RetryOptions.base.key, RetryOptions.cap.key], error))
    }
  }

  private static func connectionsFit(_ given: SettingsResolution, _ validation: inout Validation) {
    var limits = ServeLimits()
    limits.connections = given[ServeCatalogue.connections]
    limits.acceptsPerTurn = given[ServeCatalogue.acceptsPerTurn]
    guard let hard = OpenFileLimit.current()?.hard else { return }
    let served = FileDescriptorBudget(files: hard, limits: limits).claims.served
    guard limits.connections > served else { return }
    validation.warn(
      "limit-connections is \(limits.connections), but this process may have \(hard) files open: \(served) are served, "
        + "further ones hear 503; raise the hard limit (ulimit -Hn, LimitNOFILE=) or lower limit-connections")
  }

  private static func backlogFits(_ given: SettingsResolution, _ validation: inout Validation) {
    let backlog = given[ServeCatalogue.listenBacklog]
    guard let text = try? String(contentsOfFile: "/proc/sys/net/core/somaxconn", encoding: .utf8),
      let longest = Int(text.filter(\.isNumber)), backlog > longest
    else { return }
    validation.warn(
      "listen-backlog is \(backlog), but this machine holds \(longest) connections until they are accepted: those of a "
        + "spike beyond it come a second late; raise net.core.somaxconn or lower listen-backlog")
  }
}
