"""What a card says of every model: its limits, and what the law asks of whoever uses it."""

from __future__ import annotations

LIMITS: tuple[tuple[str, str], ...] = (
    (
        "도움이 필요한 차주를 사람이 찾도록 순서를 매깁니다. 결정하지 않으며, 대출·보증·금리·추심에는 절대 쓰이지 않습니다.",
        "It ranks borrowers for help by people. It never decides, and never reaches lending, guarantee, rate or recovery.",
    ),
    (
        "배운 기간과 다른 시기(충격, 새 제도, 상환 유예)에는 맞지 않을 수 있습니다.",
        "It may fail in times unlike those it learned from: a shock, a new scheme, a payment holiday.",
    ),
    (
        "도움을 받아 위기를 피한 차주도 자료에는 '위기 없음'으로 남습니다. 앞선 도움이 클수록 위험이 낮아 보입니다.",
        "Who was helped in time counts as one who stayed well: the more help there was, the lower the risk looks.",
    ),
    (
        "이미 위기인 차주는 점수를 매기지 않습니다. 사실(부실)로만 표시합니다.",
        "Those already in crisis are not scored; that is a fact, not a forecast.",
    ),
    (
        "자료가 없는 것은 모르는 것입니다. 빠진 자료가 많은 차주의 점수는 덜 믿을 만합니다.",
        "What is not reported is unknown: of a borrower with much missing, the score can be trusted less.",
    ),
    (
        "출생연도와 성별은 공정성 점검에만 쓰이며 변수로 쓰지 않습니다.",
        "Birth year and sex serve the fairness report alone; they are no features.",
    ),
)

# FACTS §4: statute, what it asks in practice, and what follows for whoever uses the model.
DUTIES: tuple[tuple[str, str, str], ...] = (
    (
        "개인정보 보호법 제37조의2 · Personal Information Protection Act art. 37-2",
        "자동화된 결정에 대한 거부·설명 요구, 기준과 절차의 공개 · objection to and explanation of automated decisions; criteria and procedure published",
        "사유를 점수와 함께 저장하고, 사람이 결정하고 기록하며, 이의가 있으면 바로잡아 다시 산출한다 · keep the reasons with the score, let a person decide and record it, correct and score again on objection",
    ),
    (
        "신용정보법 제36조의2 · Credit Information Act art. 36-2",
        "자동화평가의 결과·주요 기준·정보 유형별 비중·기초정보 설명, 정정과 재산출 요구 · result, main criteria, weight of each type of information and base data; correction and re-calculation",
        "영역별 사유와 값의 출처·날짜를 알려 주고, 정정한 뒤 다시 산출한다 · tell reasons by theme, the source and date of each value; score again after a correction",
    ),
    (
        "인공지능기본법 (2026-01-22 시행) · AI Basic Act, in force 2026-01-22",
        "투명성, 위험 관리, 설명 방안, 이용자 보호, 사람의 감독, 문서 보관; 대출 심사·공공서비스 자격 확인은 고영향 영역 · transparency, risk management, an explanation plan, user protection, human oversight, documents; loan screening and checks for public services are high-impact areas",
        "AI를 썼다고 알리고, 연락 전에 사람이 결정하며, 영향평가와 이 카드를 보관한다 · say that AI was used, let a person decide before any contact, keep an impact assessment and this card",
    ),
    (
        "개인정보 보호법 제28조의2·제28조의3 · PIPA arts. 28-2, 28-3",
        "가명정보는 통계·과학적 연구·공익적 기록 보존에만; 결합은 지정된 전문기관을 통해 · pseudonymised data for statistics, research and archiving alone; combined by a designated body",
        "학습과 평가만 가명정보에 근거한다 · only training and evaluation may rest on it",
    ),
    (
        "개인정보 보호법 제24조의2 · PIPA art. 24-2",
        "법령이 허용하지 않는 주민등록번호 처리 금지 · no resident registration number unless a statute permits it",
        "주민등록번호가 든 자료는 받지 않는다 · refuse files that carry one",
    ),
    (
        "개인정보 보호법 제29조와 안전성 확보조치 기준 · PIPA art. 29 and its safety standard",
        "접근 통제, 접속기록 2년 보관과 매월 점검, 내려받기 사유 · access control, logs kept two years and reviewed monthly, a reason for every download",
        "누가 누구를 왜 보았는지 남긴다 · keep who saw whom and why",
    ),
    (
        "행정기본법 제20조 · General Act on Public Administration art. 20",
        "재량이 있는 처분은 완전 자동화 금지 · no fully automated disposition where there is discretion",
        "안내만 하고 자동으로 거절하지 않는다 · give guidance only, never an automatic denial",
    ),
)
