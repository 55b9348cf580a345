internal import Auditing
internal import Composition
internal import Issuance
internal import ServiceKit

/// Makes one report of one database, from opening it to recording the run. Several commands share it.
struct ReportMaking {
  let path: String
  let options: AuditOptions
  var showsProgress = true

  /// A report and its source. The source is `nil` if the file could not be read.
  struct Made {
    let report: Report
    let source: (any ReconciliationSource)?
    let begun: Timestamp
    let failure: StoreError?

    func next(_ finding: Finding) -> String { source?.command(toShow: finding.place) ?? "" }
  }

  /// - Throws: ``CLIError`` for an unknown campaign, and each ``StoreError`` that is not unreadable. An unreadable
  ///   file gives a report with the verdict UNKNOWN.
  func make() async throws -> Made {
    let begun = systemClock()
    let clock = ContinuousClock.now
    do {
      let source = try Backend.openReconciliationSource(database: path)
      var report = try await source.withSnapshot { [options, showsProgress] snapshot in
        guard showsProgress else { return Audit(snapshot, options).judge() }
        let progress = ProgressMeter("reading", total: nil, unit: "seats")
        defer { progress.finish() }
        return Audit(snapshot, options) { _ in progress.advance() }.judge()
      }
      report.duration = clock.duration(to: .now)
      if let scope = options.scope, report.totals.isEmpty, report.verdict != .unknown,
        report.findings.allSatisfy({ $0.campaign == nil })
      {
        throw CLIError.unknownCampaign(scope, doing: "reconcile", among: await Self.campaigns(in: source))
      }
      return Made(report: report, source: source, begun: begun, failure: nil)
    } catch let failure as StoreError where failure.code.isUnreadable {
      var report = Report(unreadable: failure, asOf: begun, scope: options.scope)
      report.duration = clock.duration(to: .now)
      return Made(report: report, source: nil, begun: begun, failure: failure)
    }
  }

  /// The known campaigns; `nil` if they cannot be read. They only add a suggestion to an error message.
  static func campaigns(in source: any ReconciliationSource) async -> [CampaignID]? {
    try? await source.withSnapshot { snapshot in
      try? snapshot.campaigns(nil).compactMap { CampaignID($0.id) }
    }
  }

  /// Records the run. A failure to record does not change the verdict. A file that could not be judged is not written
  /// to.
  static func record(_ made: Made) async {
    guard let source = made.source, made.report.verdict != .unknown else {
      printError("this run is not recorded: the file could not be judged")
      return
    }
    do throws(StoreError) {
      try await source.recordReconciliation(
        ReconciliationRecord(
          made.report, of: ProcessIdentity.runStart(EventFilter(campaign: made.report.scope)), begun: made.begun))
    } catch {
      printError("this run is not recorded; the verdict stands: \(error)")
    }
  }
}

extension StoreError.Code {
  /// Whether the error makes the report UNKNOWN. All other errors are thrown, because the command line is wrong or
  /// the file is not usable now: a missing file, a file of another program or user, another schema version.
  fileprivate var isUnreadable: Bool {
    switch self {
    case .corrupt, .malformed, .readOnly, .diskFull, .inputOutput, .notDurable, .logMismatch, .unexpected: true
    case .missing, .foreign, .notOwner, .aliased, .busy, .overloaded, .schemaOlder, .schemaNewer, .schemaAltered,
      .witnessMissing, .witnessForeign, .witnessAhead:
      false
    }
  }
}
