"""x"""
from signals.objects import *
import polars as pl
def test_a(bucket, s3):
    write_parquet(pl.DataFrame({"a":[1]}), f"{bucket}/a b/한글.parquet")
    print(list(list_files(bucket)))
    print(pl.read_parquet(f"{bucket}/a b/한글.parquet"))
    pl.DataFrame({"a":[1]}).write_delta(f"{bucket}/t")
    pl.DataFrame({"a":[1]}).write_delta(f"{bucket}/t",mode="append")
    print(pl.scan_delta(f"{bucket}/t").collect())
    print("\n".join(s3.list_requests()))
