internal import Auditing
internal import Composition
internal import Issuance
internal import Logging
internal import Metrics
internal import ServiceKit
internal import ServiceLifecycle

/// Holds the whole file against every rule of `reconcile` once, when the service starts, and names what is wrong.
///
/// Claims are answered meanwhile: it reads one snapshot, for about 12 s per million coupons. It changes nothing and
/// stops nobody; whether to go on is for whoever reads the log. A stop does not wait for it.
struct StartAudit: Service {
  /// How many findings of one rule are named; `reconcile report` has all.
  static let findingsPerRule = 10

  private let database: String
  private let store: any OperationsSource
  private let gauges: GaugeSet
  private let logger: Logger

  /// - Parameter store: is told of damage that SQLite reports, so that nothing more is admitted.
  init(database: String, store: any OperationsSource, metrics: any MetricsFactory, logger: Logger) {
    self.database = database
    self.store = store
    gauges = GaugeSet(factory: metrics)
    self.logger = logger
  }

  func run() async throws {
    let (results, continuation) = AsyncStream.makeStream(of: Result<Report, StoreError>.self)
    Task { [database] in
      continuation.yield(await Self.judge(database))
      continuation.finish()
    }
    await withGracefulShutdownHandler {
      for await result in results { tell(result) }
    } onGracefulShutdown: {
      continuation.finish()
    }
  }

  private static func judge(_ database: String) async -> Result<Report, StoreError> {
    do throws(StoreError) {
      let source = try Backend.openReconciliationSource(database: database)
      return .success(try await source.withSnapshot { Audit($0).judge() })
    } catch {
      return .failure(error)
    }
  }

  private func tell(_ result: Result<Report, StoreError>) {
    var readings = [GaugeSet.Reading(ServeMetrics.auditEnd, value: systemClock().seconds)]
    switch result {
    case .failure(let failure):
      logger.error("the database could not be audited: \(failure)")
      if failure.code == .corrupt { store.reportDamage(failure) }
    case .success(let report):
      if let damage = report.damage { store.reportDamage(damage) }
      let standing = report.findingsFound - report.waived.count
      if report.verdict != .unknown {
        readings.append(GaugeSet.Reading(ServeMetrics.auditFindings, value: Double(standing)))
      }
      log(report, standing: standing)
    }
    gauges.replace(with: readings)
  }

  private func log(_ report: Report, standing: Int) {
    guard report.verdict != .clean else { return logger.info("audited the database: CLEAN") }
    // Ids name a rule, a campaign and a seat, and no user.
    let unwaived = report.findings.filter { report.waivers[$0.id] == nil }
    for findings in Dictionary(grouping: unwaived, by: \.rule).values {
      for finding in findings.prefix(Self.findingsPerRule) {
        logger.error("the database is not as it should be", metadata: ["finding": "\(finding.id)"])
      }
    }
    for reason in report.reasons { logger.error("a part of the database could not be judged: \(reason)") }
    logger.error(
      "audited the database: \(report.verdict.rawValue); what to do: reconcile report",
      metadata: ["findings": "\(standing)"])
  }
}
