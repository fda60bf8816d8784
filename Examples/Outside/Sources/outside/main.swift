import BasisCollections
import BasisStorage

let folder = try CollectionFolder(name: "notes", in: "data")
let collection = try VectorCollection.create(folder)
try await collection.upsert([
  Record(key: "1", payload: #"{"text":"compress files to make them smaller"}"#),
  Record(key: "2", payload: #"{"text":"play music from the command line"}"#),
  Record(key: "3", payload: #"{"text":"find duplicate photos"}"#),
])
try await collection.delete(keys: ["3"])
for hit in try await collection.search(SearchRequest(.text("smaller files"))).hits {
  print(hit.key, hit.payload)
}
