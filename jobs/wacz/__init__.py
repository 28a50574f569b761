"""WARC records, pages and whatever belongs to them → one WACZ 1.1.1 file, in constant memory.

    package = Package(title="…", created=at, software="ofrecord/0.1.0")
    with path.open("xb") as file, write_wacz(file, package) as wacz:
        with wacz.open_warc("data.warc.gz", warcinfo) as warc:    # one part at a time
            warc.append(members, records)                         # gzip members as they lie, and the views of them
        wacz.add_page(Page(id="1", url=url, at=at, title="…", text="…"))
        wacz.add_resource("evidence/commits.jsonl", data_or_path)

What is written in the block is listed with its SHA-256 in `datapackage.json`, that one's in `datapackage-digest.json`;
index and pages are written when the block ends. If it raises, what is in *file* is no WACZ: write to a name of its own
first. The same calls make the same bytes, with one zlib. Into a file that cannot be sought in (a pipe) sizes stand
behind each part and not before it, so these bytes are others; readers of the zip's directory see no difference.

`wacz validate` looks one folder deep, so a resource's path is best `folder/name.ending`; what ends in .jsonl, .csv or
.gz it reads, and wants rows that are not empty in it.
"""

from jobs.wacz.writer import VERSION, Package, Page, WaczWriter, WarcPart, write_wacz

__all__ = ["VERSION", "Package", "Page", "WaczWriter", "WarcPart", "write_wacz"]
