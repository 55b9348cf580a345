internal import ArgumentParser
internal import Auditing
internal import Composition
internal import Issuance
internal import ServiceKit

struct WaiveCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "waive",
    abstract: "Answers for a finding until a moment: it stays in reports, and they are not DIRTY.",
    examples: ["reconcile waive outbox-agrees/summer/3 --until 2027-01-31T00:00:00Z --reason X"])

  /// The longest waiver: one year.
  private static let longest = Duration.seconds(366 * 86_400)

  @Argument(help: "The id of the finding, as reports have it.")
  var id: String
  @Option(help: ArgumentHelp("Until when: RFC 3339, within a year.", valueName: "time"))
  var until: String
  @OptionGroup var author: AuthorOptions
  @OptionGroup var database: DatabaseOption

  func validate() throws {
    guard Timestamp(rfc3339: until) != nil else {
      throw ValidationError("'\(until)' is no time such as 2027-01-31T00:00:00Z.")
    }
  }

  func run() async throws {
    try await runCommand {
      let now = systemClock()
      guard let until = Timestamp(rfc3339: until), until > now, until <= now.advanced(by: Self.longest) else {
        throw CLIError(
          .usage, "cannot waive \(id)", reason: "--until is over already, or more than a year away",
          hint: "give a time within a year from now")
      }
      let source = try Backend.openReconciliationSource(database: try database.path())
      let id = id
      let memory = try await source.withSnapshot { snapshot -> Result<FindingMemory?, StoreError> in
        do throws(StoreError) {
          return .success(try snapshot.memory(of: id))
        } catch {
          return .failure(error)
        }
      }.get()
      guard memory != nil else {
        throw CLIError(
          .badData, "cannot waive \(id)", reason: "no recorded report has found it",
          hint: "copy the id from: reconcile report")
      }
      let waiver = Waiver(finding: id, author: author.author, waivedAt: now, until: until)
      try await source.waive(waiver, campaign: Finding.seat(ofID: id)?.campaign)
      try printResult("waived \(id) until \(until)")
      return .done
    }
  }
}
