public import BasisCore

/// The room's methods, as the catalogue of the package lists them.
public enum TextCatalogue {
  public static let methods: [MethodDescriptor] = [
    MethodDescriptor(
      id: nil, name: "corpus", summary: "vectors learnt from the texts themselves, in seconds",
      paper: .init(
        "Indexing by latent semantic analysis", by: "Deerwester et al.", 1990,
        "doi:10.1002/(SICI)1097-4571(199009)41:6<391::AID-ASI1>3.0.CO;2-9"),
      type: CorpusEncoder.self, verb: "ingest", oracle: "Scripts/oracles/corpus_encoder.py",
      limits: "knows synonyms only from texts that share other words"),
    MethodDescriptor(
      id: nil, name: "minilm", summary: "vectors of a transformer, read from its folder",
      paper: .init(
        "Sentence-BERT: sentence embeddings using Siamese BERT-networks", by: "Reimers & Gurevych",
        2019, "arXiv:1908.10084"),
      type: BertEncoder.self, verb: "ingest", oracle: "Scripts/oracles/minilm.py",
      limits: "models of BERT's family; texts are cut at the model's length"),
  ]
}
